import { readdir, readFile } from 'node:fs/promises';
import { processFacts } from './host-process.ts';

/** What a process and all that descend from it use together. */
export interface ProcessUsage {
  /** Of the living, and of the dead that were waited for. */
  readonly cpuSeconds: number;
  /** Memory of their own; what several share counts for each. */
  readonly memoryBytes: number;
  readonly pids: readonly number[];
}

const ticksPerSecond = 100;

/**
 * Adds up what a process tree uses, from `/proc`. What descends from the init of a namespace stays below it, whatever forks
 * twice or makes sessions.
 */
export async function processUsage(rootPid: number): Promise<ProcessUsage> {
  const pids: number[] = [];
  let cpuTicks = 0;
  let memoryBytes = 0;
  for (let rest = [rootPid]; rest.length > 0; ) {
    pids.push(...rest);
    const found = await Promise.all(
      rest.map(async (pid) => {
        const [facts, status, children] = await Promise.all([processFacts(pid), statusOf(pid), childrenOf(pid)]);
        cpuTicks += facts?.cpuTicks ?? 0;
        memoryBytes += kib('RssAnon', status) + kib('RssShmem', status);
        return children;
      }),
    );
    rest = found.flat();
  }
  return { cpuSeconds: cpuTicks / ticksPerSecond, memoryBytes, pids };
}

/** What they have in memory, with what they share divided among them: exact, and slow. Undefined where it is not told. */
export async function sharedMemoryBytes(pids: readonly number[]): Promise<number | undefined> {
  const rollups = await Promise.all(
    pids.map((pid) =>
      readFile(`/proc/${pid}/smaps_rollup`, 'latin1').catch((error: unknown) => (isGone(error) ? '' : undefined)),
    ),
  );
  return rollups.some((text) => text === undefined)
    ? undefined
    : rollups.reduce((sum, text = '') => sum + kib('Pss_Anon', text) + kib('Pss_Shmem', text), 0);
}

function statusOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
}

/** Children of all its threads. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'latin1').catch(() => '')),
  );
  return lists.flatMap((list) =>
    list
      .split(' ')
      .filter((each) => each !== '')
      .map(Number),
  );
}

function kib(name: string, text: string): number {
  return Number(new RegExp(`^${name}:\\s+([0-9]+) kB$`, 'm').exec(text)?.[1] ?? 0) * 1024;
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');
}
