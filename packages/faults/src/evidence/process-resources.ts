import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Sockets that a process has open; from the operating system. 0 when it is gone. */
export function socketsOf(pid: number | undefined): number {
  const folder = `/proc/${pid}/fd`;
  return namesIn(folder).filter((name) => {
    try {
      return readlinkSync(`${folder}/${name}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

/** Processes that a process has started and that still run. */
export function childrenOf(pid: number | undefined): number {
  return namesIn(`/proc/${pid}/task`).reduce((sum, task) => {
    return (
      sum +
      textOf(`/proc/${pid}/task/${task}/children`)
        .split(' ')
        .filter((each) => each.trim() !== '').length
    );
  }, 0);
}

/** Resident memory in MiB. */
export function residentMiB(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+)/.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
