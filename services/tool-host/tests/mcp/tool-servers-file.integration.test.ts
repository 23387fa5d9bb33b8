import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '@spanwise/telemetry';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createToolHostService, type ToolHostRunningService } from '../../src/composition-root.ts';
import { FileSystemServer } from '../file-system-server.ts';
import { testConfig } from '../test-config.ts';
import { headers, newCall, ToolHostClient } from '../tool-host-client.ts';
import { ScriptedHttpServer, text } from './http-server.ts';
import { isAlive, until } from './mcp-bench.ts';

const program = fileURLToPath(new URL('hostile-server.mjs', import.meta.url));
let folder: string;
let file: string;
let fileSystem: FileSystemServer;
let web: ScriptedHttpServer;
let toolHost: ToolHostRunningService | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spanwise-servers-'));
  file = join(folder, 'tool-servers.yaml');
  fileSystem = await new FileSystemServer().start();
  web = await new ScriptedHttpServer({ call: ({ headers: sent }) => text(`token: ${sent.authorization}`) }).start();
});

afterEach(async () => {
  await toolHost?.[Symbol.asyncDispose]();
  toolHost = undefined;
  await web.stop();
  await fileSystem[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const webServer = (more = '') => `  - {name: web, kind: mcp-http, url: '${web.url}', default: allow${more}}\n`;
const stdioServer = (name: string, mode = 'calls', notes = '') =>
  `  - {name: ${name}, kind: mcp-stdio, command: '${process.execPath}', args: ['${program}', '${mode}', '${notes}'], default: allow}\n`;

/** Logs lines as people would grep for them. */
function keptLog() {
  const lines: string[] = [];
  const write = (facts: object, message: string) => void lines.push(`${message} ${JSON.stringify(facts)}`);
  const logger = { ...silentLogger, info: write, warn: write, error: write, debug: write, child: () => logger };
  return { lines, logger: logger as unknown as typeof silentLogger };
}

async function start(content: string, logger = silentLogger): Promise<ToolHostClient> {
  writeFileSync(file, content);
  const toolServers = { file, variables: { PATH: process.env.PATH } };
  toolHost = await createToolHostService(testConfig({ filesystemUrl: fileSystem.url, toolServers }), { logger });
  return new ToolHostClient(toolHost.url);
}

async function remote(client: ToolHostClient): Promise<readonly string[]> {
  const { tools } = await client.rpcs.listTools({}, { headers });
  return tools.filter(({ source }) => source !== 'builtin').map(({ name }) => name);
}

async function eventually(client: ToolHostClient, isSo: (names: readonly string[]) => boolean): Promise<void> {
  await expect.poll(async () => isSo(await remote(client)), { timeout: 15_000, interval: 50 }).toBe(true);
}

test('offers and executes the tools of the servers that the file names, over the wire', async () => {
  const client = await start(`servers:\n${webServer()}${stdioServer('prog')}`);
  await eventually(client, (names) => names.includes('web__echo') && names.includes('prog__echo'));
  expect((await client.execute(newCall(), 'web__echo')).text).toBe('token: undefined');
  expect((await client.execute(newCall(), 'prog__echo')).text).toBe('echo');
});

test('executes nothing without an approval unless the file says otherwise', async () => {
  const client = await start(`servers:\n${webServer().replace('default: allow', 'default: ask')}`);
  await eventually(client, (names) => names.includes('web__echo'));
  // Nobody is there to give it.
  const { result } = await client.execute(newCall(), 'web__echo');
  expect(result?.code).toBe('TOOL_DENIED');
  expect(web.calls()).toEqual([]);
});

test("sends the user's token to a server that says so, and to no other", async () => {
  const other = webServer().replace('name: web', 'name: other');
  const client = await start(`servers:\n${webServer(', auth: forward_user')}${other}`);
  await eventually(client, (names) => names.includes('web__echo') && names.includes('other__echo'));
  expect((await client.execute(newCall(), 'web__echo')).text).toBe('token: Bearer secret-of-ann');
  expect((await client.execute(newCall(), 'other__echo')).text).toBe('token: undefined');
});

test('follows changes of the file, and stays with what there was when it is broken', async () => {
  const { lines, logger } = keptLog();
  const client = await start(`servers:\n${webServer()}`, logger);
  await eventually(client, (names) => names.join() === 'web__echo');
  writeFileSync(file, `servers:\n${webServer()}${stdioServer('prog')}`);
  await eventually(client, (names) => names.includes('prog__echo'));
  expect(web.received.filter(({ message }) => message.method === 'tools/list')).toHaveLength(1);
  writeFileSync(file, 'servers:\n  - {name: web, kind: magic}\n');
  await expect.poll(() => lines.join('\n'), { timeout: 5000 }).toContain('tool-servers.yaml:2: ');
  expect(await remote(client)).toContain('web__echo');
  writeFileSync(file, `servers:\n${stdioServer('prog')}`);
  await eventually(client, (names) => !names.includes('web__echo') && names.includes('prog__echo'));
  expect((await client.execute(newCall(), 'web__echo')).text).toContain('There is no tool "web__echo"');
});

test('lets a call of a server that is taken out of the file come to its end', async () => {
  const gate = Promise.withResolvers<void>();
  const slow = await new ScriptedHttpServer({
    async call() {
      await gate.promise;
      return text('slow but sure');
    },
  }).start();
  const client = await start(`servers:\n${webServer().replace(web.url, slow.url)}`);
  await eventually(client, (names) => names.includes('web__echo'));
  const going = client.execute(newCall(), 'web__echo');
  await expect.poll(() => slow.calls().length).toBe(1);
  writeFileSync(file, 'servers: []\n');
  await eventually(client, (names) => names.length === 0);
  gate.resolve();
  expect((await going).text).toBe('slow but sure');
  await slow.stop();
});

test('does not start with a file that can not be used, and says where it is wrong', async () => {
  await expect(
    start('servers:\n  - {name: web, kind: mcp-http, url: "http://a.example/", auth: forward_user}\n'),
  ).rejects.toThrow('tool-servers.yaml:2: servers.0.url: must be https: a token is sent there');
  rmSync(file);
  const toolServers = { file, variables: {} };
  const config = testConfig({ filesystemUrl: fileSystem.url, toolServers });
  await expect(createToolHostService(config, { logger: silentLogger })).rejects.toThrow(
    'tool-servers.yaml: can not be read',
  );
});

test('is ready at once though a server hangs, and leaves no program and no folder behind', async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('spanwise-mcp-'));
  const notes = join(folder, 'notes');
  const begun = performance.now();
  const client = await start(`servers:\n${stdioServer('hang', 'hang')}${stdioServer('prog', 'children', notes)}`);
  expect(await remote(client)).toEqual([]);
  expect(performance.now() - begun).toBeLessThan(10_000);
  await eventually(client, (names) => names.includes('prog__echo'));
  const pids = readFileSync(notes, 'utf8').match(/\d+/g)?.map(Number) ?? [];
  expect(pids.map(isAlive)).toEqual([true, true]);
  await toolHost?.[Symbol.asyncDispose]();
  toolHost = undefined;
  await until(() => !pids.some(isAlive), 3000);
  const left = readdirSync(tmpdir()).filter((name) => name.startsWith('spanwise-mcp-') && !before.includes(name));
  expect(left.filter((name) => !name.startsWith('spanwise-mcp-files-'))).toEqual([]);
});
