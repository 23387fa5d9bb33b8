import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DomainError } from '@spanwise/kernel';
import { afterAll, describe, expect, test } from 'vitest';
import { type RunCanary, tryToBreakOut } from '../src/infrastructure/sandbox/namespaced/canary.ts';
import { NamespacedBench, processesWith } from './namespaced-bench.ts';

const folder = await mkdtemp(join(tmpdir(), 'spanwise-namespaced-'));
// The user of commands passes through.
await chmod(folder, 0o711);
const bench = new NamespacedBench({ folder: join(folder, 'private') });
/** What keeps this machine from having namespaces; in CI nothing may. */
const missing = await bench.sandbox.check(new AbortController().signal).then(
  () => undefined,
  (error: unknown) => error,
);
const isSkipped = missing !== undefined && process.env['CI'] === undefined;

afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test('does not run anything on a machine without bubblewrap', async () => {
  await using poor = new NamespacedBench({ folder: join(folder, 'poor'), program: join(folder, 'no-bwrap') });
  await expect(poor.run('echo hi')).rejects.toMatchObject({
    reason: 'SANDBOX_UNAVAILABLE',
    message: expect.stringContaining('bubblewrap (bwrap) is not installed'),
  });
});

test.each([
  ['something breaks out', 'mount\nthe harmless command works\n', 0, 'a command could break out (mount)'],
  ['nothing works', '', 127, 'a harmless command does not work'],
  ['the harmless command fails', 'the harmless command works\n', 1, 'a harmless command does not work'],
])('the check fails when %s', async (_, told, exitCode, message) => {
  const run: RunCanary = async (_script, { output }) => {
    output('stdout', Buffer.from(told));
    return { exitCode, stoppedBy: undefined, notices: [] };
  };
  await expect(tryToBreakOut(run)).rejects.toMatchObject({
    reason: 'SANDBOX_UNAVAILABLE',
    message: expect.stringContaining(message),
  });
});

describe.skipIf(isSkipped)('a command in a namespace', () => {
  test('has passed the attempts to break out', () => {
    expect(missing).toBeUndefined();
  });

  test('tells what it puts out and how it ended', async () => {
    const exit = await bench.run('echo out; echo err > /dev/stderr; exit 3');
    expect(exit).toEqual({ exitCode: 3, stoppedBy: undefined, notices: [], stdout: 'out\n', stderr: 'err\n' });
  });

  test.each([
    ['kill -TERM $$', 143],
    ['kill -9 $$', 137],
    ['no-such-program', 127],
    ['kill -9 $PPID; sleep 10', 137],
  ])('answers %j with %i', async (script, exitCode) => {
    expect(await bench.run(script)).toMatchObject({ exitCode, stoppedBy: undefined });
  });

  test('has no descriptor and no variable of this process', async () => {
    process.env['SPANWISE_TEST_SECRET'] = 'nobody-may-see-this';
    const { stdout } = await bench.run('env; cat /proc/*/environ | tr "\\0" "\\n"; ls -l /proc/self/fd | wc -l');
    delete process.env['SPANWISE_TEST_SECRET'];
    expect(stdout).not.toContain('nobody-may-see-this');
    // A line for the total, three descriptors, and the one with which it lists them.
    expect(stdout.trim().split('\n').at(-1)).toBe('5');
  });

  test('takes a script that is longer than an argument of a program can be', async () => {
    const { stdout } = await bench.run(`# ${'x'.repeat(400_000)}\necho done`);
    expect(stdout).toBe('done\n');
  });

  test('is told as stopped by its wall time', async () => {
    expect(await bench.run('sleep 100', { wallMs: 300 })).toMatchObject({ exitCode: 137, stoppedBy: 'time' });
  });

  test('is told as stopped by its output, of which no more than the limit is told', async () => {
    const exit = await bench.run('yes', { outputBytes: 100_000 });
    expect(exit).toMatchObject({ exitCode: 137, stoppedBy: 'output' });
    expect(exit.stdout.length).toBe(100_000);
  });

  test('is killed when it writes more than it may', async () => {
    const settings = { folder: join(folder, 'small'), viewLimits: { maxFiles: 100, maxBytes: 8 * 1024 * 1024 } };
    await using small = new NamespacedBench(settings);
    const hog = 'for i in {1..1000}; do head -c 4M /dev/zero > big$i; sleep 0.02; done';
    expect(await small.run(hog)).toMatchObject({
      exitCode: 137,
      notices: expect.arrayContaining(['The command was killed: its files are over 16 MiB.']),
    });
  });

  test('is killed when it makes more files than it may', async () => {
    const settings = { folder: join(folder, 'crowd'), viewLimits: { maxFiles: 100, maxBytes: 8 * 1024 * 1024 } };
    await using small = new NamespacedBench(settings);
    expect(await small.run('mkdir d; for i in {1..5000}; do : > d/$i; done; sleep 20')).toMatchObject({
      exitCode: 137,
      notices: [
        'The command was killed: it has made more than 200 files, or folders that can not be entered.',
        'Nothing was taken over: the command left more than 100 files or 8 MiB.',
      ],
    });
    expect(small.memory.under('/workspace')).toEqual([]);
  });

  test('stops within two seconds of being cancelled, and does not tick any more', async () => {
    const cancel = new AbortController();
    const script = '(while :; do date >> ticks; sleep 0.05; done) & while :; do date >> ticks; sleep 0.05; done';
    const running = bench.run(script, { signal: cancel.signal }).catch((error: unknown) => error);
    await using ticks = await openWhenThere('ticks');
    await delay(300);
    const startedMs = performance.now();
    const reason = new DomainError('cancelled', 'REQUEST_CANCELLED', 'enough');
    cancel.abort(reason);
    expect(await running).toBe(reason);
    expect(performance.now() - startedMs).toBeLessThan(2000);
    const { size } = await ticks.stat();
    await delay(300);
    expect([size > 0, (await ticks.stat()).size]).toEqual([true, size]);
    expect(bench.memory.under('/workspace/ticks')).toEqual([]);
  });

  test('leaves no daemon', async () => {
    const script =
      'setsid sleep 7654321 & (trap "" TERM HUP; nohup setsid sleep 7654321 >/dev/null 2>&1 &) ; echo started';
    expect(await bench.run(script)).toMatchObject({ exitCode: 0, stdout: 'started\n' });
    expect(await processesWith('7654321')).toEqual([]);
  });

  test.each([
    ['a plain loop', 'echo ready; while :; do sleep 0.05; done'],
    ['one that ends its supervisor', 'echo ready; kill -STOP $PPID; while :; do sleep 0.05; done'],
    [
      'one that takes the parent-death signal from its init',
      // PTRACE_SEIZE and PTRACE_INTERRUPT: a traced init does not get far by itself.
      `echo ready; perl -e '$|=1; syscall(101, 0x4206, 1, 0, 0); syscall(101, 0x4207, 1, 0, 0); sleep 100'`,
    ],
  ])('ends when the process that runs it is killed: %s', async (name, script) => {
    const mark = `mark-${name.replaceAll(' ', '-')}-${process.pid}`;
    const host = fileURLToPath(new URL('namespaced-host.ts', import.meta.url));
    const args = [host, join(folder, 'killed'), `${script} # ${mark}`];
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(parent.stdout, 'data');
    const inside = await insideOf(parent.pid ?? 0);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const deadline = performance.now() + 2000;
    while ((await running(inside)).length > 0 && performance.now() < deadline) {
      await delay(20);
    }
    expect([inside.length >= 4, await running(inside)]).toEqual([true, []]);
    // The next process removes what this one has left.
    await using next = new NamespacedBench({ folder: join(folder, 'killed') });
    await next.run('true');
    expect((await readdir(join(folder, 'killed'))).length).toBe(1);
  });
});

// The second names a group that nobody has delegated: there limits are held by looking at the processes.
describe.skipIf(isSkipped).each([
  ['as this machine has them', undefined],
  ['without any', 'spanwise-no-such-group'],
])('limits with control groups %s', (_, cgroup) => {
  const limited = new NamespacedBench({ folder: join(folder, `limited-${cgroup}`), cgroup });
  afterAll(() => limited[Symbol.asyncDispose]());

  test('hold processor time of all processes together', async () => {
    const script = 'for i in 1 2 3 4; do (while :; do :; done) & done; wait';
    expect(await limited.run(script, { cpuSeconds: 1 })).toMatchObject({ exitCode: 137, stoppedBy: 'cpu' });
  });

  test('hold memory of all processes together', async () => {
    const script = `for i in 1 2 3 4; do perl -e '$x = "a" x 60_000_000; sleep 60' & done; wait`;
    const exit = await limited.run(script, { memoryBytes: 128 * 1024 * 1024 });
    expect(exit).toMatchObject({ exitCode: 137, stoppedBy: 'memory' });
  });

  test('do not count twice what processes share', async () => {
    const script = `perl -e '$x = "a" x 60_000_000; for (1..4) { fork or do { sleep 1; exit } } wait for 1..4; print "done"'`;
    expect(await limited.run(script, { memoryBytes: 256 * 1024 * 1024 })).toMatchObject({ stdout: 'done' });
  });

  test('hold the number of processes', async () => {
    // Not in the shell, which tries again for a long time.
    const script = `perl -e 'for (1..100) { my $pid = fork // last; exec qw(sleep 8765432) if $pid == 0; $n++ } print $n'`;
    const { stdout } = await limited.run(script, { processes: 20 });
    // The shell and perl are two of them.
    expect(stdout).toBe('18');
    expect(await processesWith('8765432')).toEqual([]);
  });

  test('hold the number of open files and the size of a file', async () => {
    const script = 'for i in {10..200}; do eval "exec $i</dev/null" 2>/dev/null || break; done; echo $i; ulimit -f';
    const { stdout } = await limited.run(script, { openFiles: 64 });
    expect(stdout).toBe(`64\n${(256 * 1024 * 1024) / 1024}\n`);
  });
});

/** A file that a command makes in its workspace. */
async function openWhenThere(name: string) {
  for (;;) {
    const path = (await readdir(join(folder, 'private'), { recursive: true })).find((each) =>
      each.endsWith(`/${name}`),
    );
    if (path !== undefined) {
      return open(join(folder, 'private', path));
    }
    await delay(20);
  }
}

/** All that descends from a process. */
async function insideOf(pid: number): Promise<readonly number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const pids = children
    .split(' ')
    .filter((each) => each !== '')
    .map(Number);
  return [...pids, ...(await Promise.all(pids.map(insideOf))).flat()];
}

async function running(pids: readonly number[]): Promise<readonly number[]> {
  const states = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ') X')));
  return pids.filter((_, index) => !/\) [ZX]/.test(states[index] ?? ''));
}
