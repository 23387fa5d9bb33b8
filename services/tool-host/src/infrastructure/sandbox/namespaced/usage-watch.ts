import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { SandboxExit, SandboxLimits } from '../sandbox-runner.ts';
import type { Cgroup } from './cgroups.ts';
import type { DiskUse } from './disk-use.ts';
import { processUsage, sharedMemoryBytes } from './process-usage.ts';

/** Why a command is killed. `notice` is for the model, where the limit has no name of its own. */
export interface LimitReached {
  readonly stoppedBy: SandboxExit['stoppedBy'];
  readonly notice: string | undefined;
}

export interface WatchedUse {
  /** Init of the command's namespace. */
  readonly initPid: number;
  readonly group: Cgroup;
  readonly disk: DiskUse;
  readonly limits: SandboxLimits;
}

const intervalMs = 100;
/** Looking at a bomb takes longer: at most this part of the time is spent on it. */
const maxShare = 0.2;
/** Of the machine's memory, this much stays free: the last resort against memory that no process maps. */
const floorBytes = 128 * 1024 * 1024;

/** Looks again and again at what a command uses, and resolves with the first limit that it reaches, or when `signal` aborts. */
export async function watchUsage(watched: WatchedUse, signal: AbortSignal): Promise<LimitReached | undefined> {
  for (;;) {
    const startedMs = performance.now();
    const reached = await lookAtUsage(watched);
    if (reached !== undefined || signal.aborted) {
      return signal.aborted ? undefined : reached;
    }
    const tookMs = performance.now() - startedMs;
    await delay(Math.max(intervalMs, tookMs / maxShare), undefined, { signal }).catch(() => undefined);
  }
}

/** Groups tell exactly; without them the processes are added up. */
async function lookAtUsage({ initPid, group, disk, limits }: WatchedUse): Promise<LimitReached | undefined> {
  const [{ cpuSeconds, ranOutOfMemory }, excess, freeBytes] = await Promise.all([
    group.usage(),
    disk.excess(),
    availableMemory(),
  ]);
  if (excess !== undefined) {
    return { stoppedBy: undefined, notice: `The command was killed: ${excess}.` };
  }
  if (ranOutOfMemory === true || freeBytes < floorBytes) {
    return { stoppedBy: 'memory', notice: undefined };
  }
  const isCounted = cpuSeconds !== undefined && ranOutOfMemory !== undefined;
  const counted = isCounted ? undefined : await processUsage(initPid);
  if ((cpuSeconds ?? counted?.cpuSeconds ?? 0) >= limits.cpuSeconds) {
    return { stoppedBy: 'cpu', notice: undefined };
  }
  if (ranOutOfMemory === undefined && counted !== undefined && counted.memoryBytes > limits.memoryBytes) {
    // What children share with their parents was counted for each.
    const exact = (await sharedMemoryBytes(counted.pids)) ?? counted.memoryBytes;
    return exact > limits.memoryBytes ? { stoppedBy: 'memory', notice: undefined } : undefined;
  }
  return undefined;
}

async function availableMemory(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'latin1');
  const [, kib] = /^MemAvailable:\s+([0-9]+) kB$/m.exec(text) ?? [];
  return kib === undefined ? Number.POSITIVE_INFINITY : Number(kib) * 1024;
}
