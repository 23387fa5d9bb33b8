import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Files } from '@spanwise/tool-kit/contract';
import { afterAll, describe, expect, test } from 'vitest';
import { ruledFiles } from '../src/application/ruled-files.ts';
import type { NamespacedSettings } from '../src/infrastructure/sandbox/namespaced/namespaced-sandbox.ts';
import { NamespacedBench } from './namespaced-bench.ts';

const folder = await mkdtemp(join(tmpdir(), 'spanwise-namespaced-files-'));
// The user of commands passes through.
await chmod(folder, 0o711);
let benches = 0;

function newBench(settings: NamespacedSettings = {}): NamespacedBench {
  benches += 1;
  return new NamespacedBench({ folder: join(folder, String(benches)), ...settings });
}

const isMissing = await newBench()
  .sandbox.check(new AbortController().signal)
  .then(
    () => false,
    () => true,
  );
const isSkipped = isMissing && process.env['CI'] === undefined;

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** All files of the view and what is in them. */
function contents({ memory }: NamespacedBench): Record<string, string> {
  return Object.fromEntries(memory.under('/').map((path) => [path, memory.text(path)]));
}

describe.skipIf(isSkipped)('files of a command in a namespace', () => {
  test('are those of the view, and what it changes is taken over', async () => {
    await using bench = newBench();
    for (const name of ['same', 'changed', 'deleted', 'dir/moved', 'kind']) {
      bench.memory.put(`/workspace/${name}`, name);
    }
    bench.memory.put('/inputs/given', 'given');
    const exit = await bench.run(
      `cat same /inputs/given; echo more >> changed; rm deleted kind; mv dir/moved moved; rmdir dir
       mkdir kind empty deep deep/er; echo new > kind/new; echo x > deep/er/x; touch same; echo no > /inputs/new`,
    );
    expect(exit).toMatchObject({ exitCode: 1, stdout: 'samegiven', notices: [] });
    expect(exit.stderr).toContain('Read-only file system');
    expect(contents(bench)).toEqual({
      '/workspace/same': 'same',
      '/workspace/changed': 'changedmore\n',
      '/workspace/moved': 'dir/moved',
      '/workspace/kind/new': 'new\n',
      '/workspace/deep/er/x': 'x\n',
      '/inputs/given': 'given',
    });
    expect(['empty', 'dir'].map((name) => bench.memory.isDirectory(`/workspace/${name}`))).toEqual([true, false]);
  });

  test('that rules keep from commands are left out and stay as they are', async () => {
    await using bench = newBench();
    bench.memory.put('/workspace/open', 'open');
    bench.memory.put('/workspace/secret/key', 'secret');
    bench.memory.put('/workspace/locked/a', 'locked');
    const policy = { allow: [], ask: ['read(/workspace/secret/*)'], deny: ['write(/workspace/locked/*)'] };
    const files = ruledFiles(bench.files, policy);
    const script = 'cat open secret/key; echo new > secret/key; echo new > locked/a; rm -r locked; echo new > open';
    const exit = await bench.run(script, { files });
    expect(exit.stdout).toBe('open');
    expect(exit.notices.join()).toContain('/workspace/secret/key');
    expect(contents(bench)).toEqual({
      '/workspace/open': 'new\n',
      '/workspace/secret/key': 'secret',
      '/workspace/locked/a': 'locked',
    });
  });

  test('are written only where their content has changed', async () => {
    await using bench = newBench();
    bench.memory.put('/workspace/same', 'same');
    const { etag } = bench.memory.info('/workspace/same');
    await bench.run('cat same > copy && rm same && mv copy same && touch -d 2001-01-01 same');
    expect(bench.memory.info('/workspace/same').etag).toBe(etag);
  });

  test('can be started when they begin like programs', async () => {
    await using bench = newBench();
    bench.memory.put('/workspace/tool', '#!/bin/sh\necho started "$1"');
    expect(await bench.run('./tool up', { cwd: '/workspace' })).toMatchObject({ stdout: 'started up\n' });
  });

  test('that somebody else has changed meanwhile stay as they are', async () => {
    await using bench = newBench();
    for (const name of ['edited', 'removed', 'gone']) {
      bench.memory.put(`/workspace/${name}`, 'before');
    }
    const { files } = bench;
    let isRaced = false;
    // All that happens before the first change of the view, the command included.
    const raced: Files = Object.assign(Object.create(files), {
      write: async (...args: Parameters<Files['write']>) => {
        if (!isRaced) {
          isRaced = true;
          for (const name of ['edited', 'removed', 'made']) {
            bench.memory.put(`/workspace/${name}`, 'by somebody else');
          }
          bench.memory.remove('/workspace/gone');
        }
        return files.write(...args);
      },
    });
    const script = 'for f in edited gone made; do echo mine > $f; done; rm removed; echo mine > other';
    const { notices } = await bench.run(script, { files: bound(raced, files) });
    expect(notices).toEqual([
      expect.stringMatching(
        /^Not taken over, because somebody else has changed them meanwhile: (?=.*edited)(?=.*gone)(?=.*made)(?=.*removed)/,
      ),
    ]);
    expect(contents(bench)).toEqual({
      '/workspace/edited': 'by somebody else',
      '/workspace/made': 'by somebody else',
      '/workspace/removed': 'by somebody else',
      '/workspace/other': 'mine\n',
    });
  });

  test('that are no plain files are not taken over, and told', async () => {
    await using bench = newBench();
    bench.memory.put('/workspace/replaced', 'as it was');
    bench.memory.put('/workspace/linked', 'as it was');
    const { exitCode, notices } = await bench.run(
      `ln -s /etc/passwd out; ln -s / root; ln -sf /etc/passwd replaced; mkfifo fifo; ln linked hard
       perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, pack_sockaddr_un("socket"))'
       echo x > program; chmod 4755 program; head -c 9M /dev/zero > large; mknod device c 1 3; true`,
    );
    expect(exitCode).toBe(0);
    const paths = (names: readonly string[]) =>
      expect.stringMatching(new RegExp(`: ${names.map((name) => `(?=.*/workspace/${name}\\b)`).join('')}`));
    expect([...notices].sort()).toEqual([
      expect.stringMatching(/^Not taken over, because they are hard links/),
      'Not taken over, because they are larger than 8 MiB: /workspace/large.',
      paths(['fifo', 'socket']),
      paths(['out', 'root', 'replaced']),
      'Taken over without the bits that let a program run as its owner: /workspace/program.',
    ]);
    expect(contents(bench)).toEqual({
      '/workspace/replaced': 'as it was',
      '/workspace/linked': 'as it was',
      '/workspace/program': 'x\n',
    });
  });

  test('may have odd names, as far as a view can have them', async () => {
    await using bench = newBench();
    bench.memory.put('/workspace/-rf', 'minus');
    bench.memory.put('/workspace/a b/$(id)', 'dollar');
    const { stdout, notices } = await bench.run(
      `cat -- -rf 'a b/$(id)'; echo x > './--help'; echo x > '...'; echo x > $'new\\nline'; echo x > $'\\xff\\xfe'
       mkdir '..a' ' edge'; echo x > ..a/b; echo x > $'e\\u0301'; echo x > 'back\\slash'; echo x > ' edge/inner'`,
    );
    expect(stdout).toBe('minusdollar');
    expect(notices).toEqual([expect.stringMatching(/^Not taken over, because the name can not be in a view: /)]);
    expect(Object.keys(contents(bench)).sort()).toEqual(
      ['--help', '-rf', '...', '..a/b', 'a b/$(id)'].map((name) => `/workspace/${name}`).sort(),
    );
  });

  test('that are swapped for links during the import lead nowhere', async () => {
    await using bench = newBench();
    const { files } = bench;
    let swapped = 0;
    const swapping: Files = Object.assign(Object.create(files), {
      write: async (...args: Parameters<Files['write']>) => {
        // As a process would that had outlived its command: what was looked at becomes a link to elsewhere.
        const [path = ''] = (await readdir(folder, { recursive: true })).filter((each) => each.endsWith('/swap'));
        if (path !== '') {
          swapped += 1;
          await rename(join(folder, path), join(folder, `${path}-away`));
          await symlink('/etc', join(folder, path));
        }
        return files.write(...args);
      },
    });
    await bench.run('mkdir swap; echo a > a; echo mine > swap/passwd; echo mine > swap/hostname', {
      files: bound(swapping, files),
    });
    expect(swapped).toBe(1);
    expect(contents(bench)).toEqual({ '/workspace/a': 'a\n' });
  });

  test('may be ten thousand small ones', { timeout: 60_000 }, async () => {
    await using bench = newBench();
    const script = 'mkdir d; for i in {1..10000}; do echo $i > d/$i; done';
    expect(await bench.run(script, { wallMs: 40_000 })).toMatchObject({ exitCode: 0, notices: [] });
    expect(bench.memory.under('/workspace/d').length).toBe(10_000);
    expect(bench.memory.text('/workspace/d/9999')).toBe('9999\n');
  });

  test('are left out, or a subfolder is asked for, when there are too many', async () => {
    await using bench = newBench({ viewLimits: { maxFiles: 8, maxBytes: 1024 * 1024 } });
    for (let index = 0; index < 9; index += 1) {
      bench.memory.put(`/workspace/many/${index}`, 'x');
      bench.memory.put(`/inputs/${index}`, 'x');
    }
    bench.memory.put('/workspace/few/a', 'a');
    await expect(bench.run('true')).rejects.toMatchObject({
      reason: 'FILE_TOO_LARGE',
      message:
        'The command was not run: /workspace has more than 8 files or 1 MiB. Run it in a subfolder that has less.',
    });
    const exit = await bench.run('cat a; echo b > b; ls /workspace', { cwd: '/workspace/few' });
    expect(exit).toMatchObject({
      stdout: 'afew\n',
      notices: [
        'Only /workspace/few was given to the command: all files together are over its limits.',
        'Too large for commands, and left out: /inputs.',
      ],
    });
    expect(bench.memory.under('/workspace').length).toBe(11);
  });

  test.each([
    ['/workspace/none', 'FILE_NOT_FOUND'],
    ['/workspace/file', 'NOT_A_DIRECTORY'],
    ['/etc', 'FILE_NOT_FOUND'],
  ])('do not begin in %s', async (cwd, reason) => {
    await using bench = newBench();
    bench.memory.put('/workspace/file', 'x');
    await expect(bench.run('true', { cwd })).rejects.toMatchObject({ reason });
  });

  test('lie in a folder of which nothing is left', async () => {
    const bench = newBench();
    bench.memory.put('/workspace/a', 'a');
    await bench.run('mkdir closed; echo x > closed/x; chmod 000 closed');
    const [own = ''] = await readdir(join(folder, String(benches)));
    const left = await readdir(join(folder, String(benches), own));
    expect(left.filter((name) => !name.startsWith('pipe-'))).toEqual(['etc']);
    await bench[Symbol.asyncDispose]();
    expect(await readdir(join(folder, String(benches)))).toEqual([]);
  });

  test('of one sandbox are not those of another in the same folder', async () => {
    const shared = join(folder, 'shared');
    await using first = newBench({ folder: shared });
    {
      await using second = newBench({ folder: shared });
      await second.run('true');
      const running = first.run('sleep 0.3; echo x > x');
      await second[Symbol.asyncDispose]();
      expect(await running).toMatchObject({ exitCode: 0 });
    }
    expect(await first.run('cat x')).toMatchObject({ stdout: 'x\n' });
  });

  test.skipIf(process.geteuid?.() !== 0)('serve a process that is not root as well', async () => {
    const own = join(folder, 'of-nobody');
    await mkdir(own);
    await chown(own, 65534, 65534);
    const host = fileURLToPath(new URL('namespaced-host.ts', import.meta.url));
    const script = 'id -u; echo x > x; grep -c . /proc/self/uid_map; (echo > /usr/x) 2>/dev/null || echo kept';
    const child = spawn(process.execPath, [host, own, script], {
      ...{ uid: 65534, gid: 65534, stdio: ['ignore', 'pipe', 'ignore'] },
      env: { PATH: process.env['PATH'] },
    });
    let told = '';
    child.stdout.on('data', (chunk: Buffer) => {
      told += chunk.toString();
    });
    const [exitCode] = await once(child, 'close');
    expect([exitCode, told]).toEqual([0, '1000\n1\nkept\n']);
  });
});

/** The operations of the second, but for those that the first has itself. */
function bound(changed: Files, files: Files): Files {
  return new Proxy(files, {
    get: (target, name: keyof Files) =>
      Object.hasOwn(changed, name) ? changed[name] : (target[name] as (...args: unknown[]) => unknown).bind(target),
  });
}
