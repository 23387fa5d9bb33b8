import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Ids of the processes that a process has started, itself or by others. */
export async function descendantsOf(pid: number): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=', '-o', 'ppid=']);
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found: number[] = [];
  for (let parents = [pid]; parents.length > 0; ) {
    parents = pairs.filter(([, parent = 0]) => parents.includes(parent)).map(([child = 0]) => child);
    found.push(...parents);
  }
  return found;
}

/** Whether all of them are gone within `limitMs`. */
export async function areGone(pids: readonly number[], limitMs: number): Promise<boolean> {
  const isGone = (pid: number) => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  };
  for (let waited = 0; waited < limitMs; waited += 20) {
    if (pids.every(isGone)) {
      return true;
    }
    await sleep(20);
  }
  return false;
}
