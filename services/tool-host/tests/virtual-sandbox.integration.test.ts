import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { defaultSandboxLimits, type SandboxLimits } from '../src/infrastructure/sandbox/sandbox-runner.ts';
import { VirtualSandbox } from '../src/infrastructure/sandbox/virtual/virtual-sandbox.ts';
import { InMemoryFiles } from './in-memory-files.ts';
import { areGone, descendantsOf } from './processes.ts';
import { viewOf } from './sandbox-attack-ground.ts';

const sandbox = new VirtualSandbox();
afterAll(() => sandbox[Symbol.asyncDispose]());

interface Ran {
  readonly exitCode: number;
  readonly stoppedBy: string | undefined;
  readonly text: string;
  readonly bytes: number;
  /** Milliseconds after the start at which each chunk came. */
  readonly cameAt: readonly number[];
}

async function run(
  script: string,
  {
    files = new InMemoryFiles(),
    limits = {},
    signal = new AbortController().signal,
  }: { files?: InMemoryFiles; limits?: Partial<SandboxLimits>; signal?: AbortSignal } = {},
): Promise<Ran> {
  const cameAt: number[] = [];
  let [text, bytes] = ['', 0];
  const begin = performance.now();
  const exit = await sandbox.run(
    {
      ...{ script, cwd: '/workspace', files: viewOf(files, signal), limits: { ...defaultSandboxLimits, ...limits } },
      output: (stream, chunk) => {
        cameAt.push(performance.now() - begin);
        bytes += chunk.length;
        text = (
          text + (stream === 'stderr' ? `!${Buffer.from(chunk).toString()}` : Buffer.from(chunk).toString())
        ).slice(-10_000);
      },
    },
    signal,
  );
  return { exitCode: exit.exitCode, stoppedBy: exit.stoppedBy, text, bytes, cameAt };
}

async function textOf(script: string, files = new InMemoryFiles()): Promise<string> {
  return (await run(script, { files })).text;
}

test('lets nothing out', { timeout: 60_000 }, async () => {
  await sandbox.check(new AbortController().signal);
});

test('reads and writes the files of the view, and leaves them there', async () => {
  const files = new InMemoryFiles();
  files.put('/workspace/a.txt', 'häl\nlo\n');
  files.put('/inputs/in.txt', 'given\n');
  const script = `cat a.txt; grep -c l a.txt; mkdir -p d/e; cp a.txt d/b.txt; mv d/b.txt d/e/c.txt; echo more >> d/e/c.txt
echo one > new.txt; echo two > new.txt; rm a.txt; ls; find . -type f; cat /inputs/in.txt; ls /; pwd; echo $HOME`;
  const ran = await run(script, { files });
  const shown = 'häl\nlo\n2\nd\nnew.txt\n./d/e/c.txt\n./new.txt\ngiven\n';
  const root = 'bin\ndev\nhome\ninputs\nproc\ntmp\nusr\nworkspace\n';
  expect([ran.exitCode, ran.text]).toEqual([0, `${shown}${root}/workspace\n/workspace\n`]);
  expect(files.under('/').map((path) => [path, files.text(path)])).toEqual([
    ['/inputs/in.txt', 'given\n'],
    ['/workspace/d/e/c.txt', 'häl\nlo\nmore\n'],
    ['/workspace/new.txt', 'two\n'],
  ]);
});

test('has the exit code of the script, and errors in their place', async () => {
  expect(await run('echo a; nope; echo b; cat missing; exit 7')).toMatchObject({
    exitCode: 7,
    stoppedBy: undefined,
    text: 'a\n!bash: nope: command not found\nb\n!cat: missing: No such file or directory\n',
  });
  expect((await run('false')).exitCode).toBe(1);
  expect(await run('if then')).toMatchObject({ exitCode: 2, text: expect.stringContaining('syntax error') as string });
});

test('captures what a script captures, though it puts the rest out at once', async () => {
  const script = `f() { echo in-f; }
x=$(f); echo "x=$x"; f | sed s/in/from/; echo a | while read l; do echo "got $l"; done
g() { echo in-g; }; g; { echo one; echo two; } > both; cat both; echo "$(g)" && echo end; bash -c 'echo inner; echo err >&2'
for i in 1 2; do echo $i; done | tac; echo $((1 + 2)); f 2>&1 >/dev/null; echo out 3>&1 1>&2 2>&3`;
  const expected = 'x=in-f\nfrom-f\ngot a\nin-g\none\ntwo\nin-g\nend\ninner\n!err\n2\n1\n3\n!out\n';
  expect(await textOf(script)).toBe(expected);
});

test('puts out what it does while it goes on, also of one that is stopped', async () => {
  const { cameAt, text, stoppedBy, exitCode } = await run('for i in 1 2 3; do echo $i; sleep 0.3; done; sleep 60', {
    limits: { wallMs: 2500 },
  });
  expect([text, stoppedBy, exitCode]).toEqual(['1\n2\n3\n', 'time', 137]);
  const [first = 0, , third = 0] = cameAt;
  expect(third - first).toBeGreaterThan(500);
});

test('stops a loop that leaves no time for anything else', async () => {
  const ran = await run('echo begun; while true; do :; done', { limits: { wallMs: 1000 } });
  expect(ran).toMatchObject({ text: 'begun\n', stoppedBy: 'time', exitCode: 137 });
});

test('stops at the limits of processor time and memory', { timeout: 60_000 }, async () => {
  const spent = await run('while true; do :; done', { limits: { cpuSeconds: 1, wallMs: 30_000 } });
  expect(spent).toMatchObject({ stoppedBy: 'cpu', exitCode: 152 });
  const files = new InMemoryFiles();
  files.put('/workspace/large', 'x'.repeat(4 * 1024 * 1024));
  const full = await run('while true; do a+=("$(cat large)"); done', {
    files,
    limits: { memoryBytes: 96 * 1024 * 1024, wallMs: 50_000 },
  });
  expect(full.stoppedBy).toBe('memory');
});

test('puts out no more than it may of a hundred megabytes', { timeout: 60_000 }, async () => {
  const files = new InMemoryFiles();
  files.put('/workspace/ten', new Uint8Array(10 * 1024 * 1024).fill(120));
  const ran = await run('for i in 1 2 3 4 5 6 7 8 9 10; do cat ten; done', { files });
  expect([ran.bytes, ran.stoppedBy]).toEqual([defaultSandboxLimits.outputBytes, 'output']);
});

test('ends within two seconds of a cancel, and changes nothing after it', { timeout: 60_000 }, async () => {
  const files = new InMemoryFiles();
  const cancel = new AbortController();
  const running = run('while true; do date >> /workspace/ticks; sleep 0.05; done', { files, signal: cancel.signal });
  running.catch(() => undefined);
  while (files.find('/workspace/ticks') === undefined || files.text('/workspace/ticks').split('\n').length < 4) {
    await sleep(20);
  }
  const before = await descendantsOf(process.pid);
  const begin = performance.now();
  cancel.abort(new TypeError('cancelled'));
  await expect(running).rejects.toThrow('cancelled');
  const took = performance.now() - begin;
  const [ticks, calls] = [files.text('/workspace/ticks'), files.calls.length];
  await sleep(300);
  expect([files.text('/workspace/ticks'), files.calls.length]).toEqual([ticks, calls]);
  expect(took).toBeLessThan(2000);
  // The one that ran the command, and those that looked for it.
  expect((await descendantsOf(process.pid)).filter((pid) => before.includes(pid)).length).toBeLessThan(before.length);
});

test('waits for no file that is stuck when it is cancelled', async () => {
  const files = new InMemoryFiles();
  files.put('/workspace/stuck', 'x');
  files.stall('/workspace/stuck');
  const cancel = new AbortController();
  const running = run('cat stuck', { files, signal: cancel.signal });
  running.catch(() => undefined);
  await sleep(1000);
  cancel.abort(new TypeError('cancelled'));
  await expect(running).rejects.toThrow('cancelled');
  expect(await files.aborted.promise).toBe('/workspace/stuck');
});

test('shares neither /tmp nor variables between commands', async () => {
  const both = await Promise.all([
    textOf('x=1; echo a > /tmp/f; sleep 0.3; cat /tmp/f; ls /tmp'),
    textOf('sleep 0.1; echo "[$x]"; ls /tmp; echo b > /tmp/f; sleep 0.3; cat /tmp/f'),
  ]);
  expect(both).toEqual(['a\nf\n', '[]\nb\n']);
  expect(await textOf('ls /tmp')).toBe('');
});

test('does not overwrite what somebody else has changed since it was read', async () => {
  const files = new InMemoryFiles();
  files.put('/workspace/f', 'old');
  const running = run('x=$(cat f); sleep 0.6; echo "$x changed" > f', { files });
  while (files.calls.length < 2) {
    await sleep(10);
  }
  await sleep(200);
  files.put('/workspace/f', 'of somebody else');
  expect(await running).toMatchObject({
    exitCode: 1,
    text: expect.stringContaining('somebody else has changed it') as string,
  });
  expect(files.text('/workspace/f')).toBe('of somebody else');
});

test('appends to what somebody else has written meanwhile', async () => {
  const files = new InMemoryFiles();
  const running = run('echo 1 >> f; sleep 0.6; echo 3 >> f', { files });
  while (files.find('/workspace/f') === undefined || files.text('/workspace/f') === '') {
    await sleep(10);
  }
  files.put('/workspace/f', '1\n2\n');
  await running;
  expect(files.text('/workspace/f')).toBe('1\n2\n3\n');
});

test('goes on after a redirection into what is read-only', async () => {
  const files = new InMemoryFiles();
  files.put('/inputs/in.txt', 'given\n');
  const script = `echo x > /inputs/in.txt; echo "code $?"; echo x >> /inputs/new || cat /inputs/in.txt
cp /inputs/in.txt /inputs/copy; test -e /inputs/copy || echo none; bash -c 'echo x > /inputs/inner; echo after'`;
  const refused = (path: string) => `!bash: ${path}: cannot open redirect target\n`;
  expect((await run(script, { files })).text).toBe(
    `${refused('/inputs/in.txt')}code 1\n${refused('/inputs/new')}given\n` +
      `!cp: cannot copy '/inputs/in.txt': EROFS: read-only file system, write '/inputs/copy'\nnone\n` +
      `after\n${refused('/inputs/inner')}`,
  );
  expect(files.under('/').map((path) => [path, files.text(path)])).toEqual([['/inputs/in.txt', 'given\n']]);
});

test('reads files of many pieces and long directories whole', async () => {
  const files = new InMemoryFiles();
  files.put('/workspace/large', 'x'.repeat(3_500_000));
  for (let index = 0; index < 1200; index += 1) {
    files.put(`/workspace/many/${index}`, '');
  }
  expect(await textOf('wc -c < large; ls many | wc -l; cp large copy; wc -c < copy', files)).toBe(
    '3500000\n1200\n3500000\n',
  );
});

test('leaves no process behind when its parent is killed', { timeout: 60_000 }, async () => {
  for (const loop of ['while true; do :; done', 'sleep 50', 'while true; do date >> /workspace/t; done']) {
    const host = spawn(process.execPath, [
      fileURLToPath(new URL('sandbox-host.ts', import.meta.url)),
      `echo begun; ${loop}`,
    ]);
    await once(host.stdout, 'data');
    const started = await descendantsOf(host.pid ?? 0);
    expect(started.length).toBeGreaterThan(0);
    host.kill('SIGKILL');
    expect([loop, await areGone(started, 5000)]).toEqual([loop, true]);
  }
});

test('runs nothing any more once it is disposed of', async () => {
  const own = new VirtualSandbox();
  const running = own.run(
    {
      ...{ script: 'sleep 50', cwd: '/workspace', limits: defaultSandboxLimits },
      files: viewOf(new InMemoryFiles()),
      output: () => undefined,
    },
    new AbortController().signal,
  );
  running.catch(() => undefined);
  await sleep(300);
  await own[Symbol.asyncDispose]();
  await expect(running).rejects.toThrow('Commands can not be run here');
});
