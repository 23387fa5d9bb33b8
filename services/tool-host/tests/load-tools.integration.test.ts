import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FileSystemServer } from './file-system-server.ts';
import { newCall, ToolHostClient } from './tool-host-client.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const loader = new URL('../src/infrastructure/tools/load-tools.ts', import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), 'spanwise-load-tools-'));
const resources = new AsyncDisposableStack();
let fileSystem: FileSystemServer;

/** A module with a tool; `more` is put into its definition. */
const moduleOf = (name: string, more = '', exported = 'export const tools = [tool];') => `
import { DomainError, defineTool } from '@spanwise/tool-kit';
import { resolvePath } from '@spanwise/tool-kit/contract';
import { z } from 'zod';
const tool = defineTool({
  name: '${name}',
  description: 'Says a path.',
  effect: 'READ_ONLY',
  input: z.strictObject({ path: z.string() }),
  async execute({ path }) {
    if (path === '') throw new DomainError('invalid', 'NO_PATH', 'Name a path.');
    return { text: resolvePath(path) };
  },
  ${more}
});
${exported}
`;

const files = {
  'tools/good.ts': moduleOf('good'),
  'tools/alone.mjs': moduleOf('alone', '', 'export default tool;'),
  'tools/again.ts': moduleOf('good'),
  'tools/taken.ts': moduleOf('read'),
  'tools/bad-schema.ts': moduleOf('bad', 'input: z.strictObject({ at: z.date() }),'),
  'tools/broken.ts': "import './nowhere.ts';",
  'tools/empty.ts': 'export const other = 1;',
  'tools/text.ts': "export const tools = 'none';",
  'tools/other.ts': 'export default { name: "x" };',
  'node_modules/acme-tools/package.json': '{"name":"acme-tools","type":"module","exports":"./index.mjs"}',
  'node_modules/acme-tools/index.mjs': moduleOf('acme'),
};

beforeAll(async () => {
  fileSystem = resources.use(await new FileSystemServer().start());
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
});
afterAll(async () => {
  await resources.disposeAsync();
  rmSync(folder, { recursive: true });
});

function start(modules: string, level = 'error'): ChildProcess {
  const env = {
    ...{ PATH: process.env.PATH, SPANWISE_PORT: '0', SPANWISE_DATABASE_URL: 'sqlite::memory:' },
    ...{ SPANWISE_TOOLS: modules, SPANWISE_FILESYSTEM_URL: fileSystem.url, SPANWISE_LOG_LEVEL: level },
  };
  const child = spawn(process.execPath, [main], { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
  resources.defer(() => void child.kill('SIGKILL'));
  return child;
}

/** What a process says until it has said what is sought, or has ended. */
async function said(child: ChildProcess, sought: RegExp): Promise<string> {
  let text = '';
  for await (const chunk of child.stderr ?? []) {
    text += String(chunk);
    if (sought.test(text)) {
      break;
    }
  }
  return text;
}

test('takes the tools of files and packages, which bring neither the kit nor zod', async () => {
  const child = start('./tools/good.ts, ./tools/alone.mjs,acme-tools', 'info');
  const [, url = ''] = /"url":"([^"]+)"/.exec(await said(child, /serving/)) ?? [];
  const host = new ToolHostClient(url);
  const { tools } = await host.rpcs.listTools({}, { headers: { uid: 'ann' } });
  const own = tools.filter(({ source }) => source === 'own').map(({ name }) => name);
  expect(own).toEqual(['acme', 'alone', 'good']);
  for (const name of own) {
    expect((await host.execute(newCall(), name, { path: 'a.txt' })).text).toBe('/workspace/a.txt');
    const { result, text } = await host.execute(newCall(), name, { path: '' });
    expect([result?.code, text]).toEqual(['NO_PATH', 'Name a path.']);
  }
}, 20_000);

test.each([
  ['./tools/none.ts', './tools/none.ts is not there.'],
  ['no-such-package', 'no-such-package is not there.'],
  ['./tools/broken.ts', /can not be loaded: Cannot find module '.*nowhere\.ts' imported from .*broken\.ts\.$/],
  [
    './tools/bad-schema.ts',
    /: \.\/tools\/bad-schema\.ts can not be loaded: the input of tool bad can not be told as JSON Schema/,
  ],
  ['./tools/empty.ts', './tools/empty.ts exports no tools: neither an array `tools` nor a default.'],
  ['./tools/text.ts', './tools/text.ts exports `tools` that is no array.'],
  [
    './tools/other.ts',
    './tools/other.ts exports something that is no tool: x lacks something. Make tools with defineTool.',
  ],
  ['./tools/taken.ts', './tools/taken.ts names a tool "read", and so does this service.'],
  ['./tools/good.ts,./tools/again.ts', './tools/again.ts names a tool "good", and so does ./tools/good.ts.'],
])('says what is wrong with %s', (modules, why) => {
  // Node itself has to load them: the runner of tests resolves in ways of its own.
  const script = `
    import { loadTools } from ${JSON.stringify(loader)};
    const modules = ${JSON.stringify(modules.split(','))};
    await loadTools({ modules, folder: ${JSON.stringify(folder)}, taken: ['read'] }).catch(({ kind, reason, message }) => {
      console.log(JSON.stringify({ kind, reason, message }));
    });`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
  const { message, ...error } = JSON.parse(stdout) as { readonly message: string };
  expect(error).toEqual({ kind: 'invalid', reason: 'INVALID_FIELD' });
  expect(message).toMatch(/^SPANWISE_TOOLS can not be used: [^\n]*$/);
  expect(message).toMatch(typeof why === 'string' ? new RegExp(`: ${RegExp.escape(why)}$`) : why);
});

test('does not start with a module that can not be used, and says why in one line', async () => {
  const child = start('./tools/none.ts');
  const exited = once(child, 'exit');
  expect(await said(child, /^(?!)/)).toBe('SPANWISE_TOOLS can not be used: ./tools/none.ts is not there.\n');
  expect(await exited).toEqual([1, null]);
}, 20_000);
