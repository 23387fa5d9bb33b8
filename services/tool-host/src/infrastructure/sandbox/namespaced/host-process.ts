import { readFileSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';

/** What `/proc/<pid>/stat` tells of a process. */
export interface ProcessFacts {
  /** `R`, `S`, `Z`, … */
  readonly state: string;
  readonly parentPid: number;
  /** Own and reaped children's time, in ticks of a hundredth of a second. */
  readonly cpuTicks: number;
  /** Ticks since boot: with the id the mark of a process. */
  readonly startTicks: number;
}

/** Undefined when there is no such process. */
export async function processFacts(pid: number): Promise<ProcessFacts | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  return text === undefined ? undefined : parseStat(text);
}

/** The same without waiting, for a moment in which nothing may happen in between. */
export function processFactsNow(pid: number): ProcessFacts | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/** True while it runs; a zombie has ended, and so has all that was in the namespace of which it was the init. */
export async function isRunning(pid: number): Promise<boolean> {
  const facts = await processFacts(pid);
  return facts !== undefined && facts.state !== 'Z' && facts.state !== 'X';
}

/** A mark that no other process has, also in another container or after a restart: namespace, id and start. */
export async function processMark(pid: number): Promise<string | undefined> {
  const [namespace, facts] = await Promise.all([readlink('/proc/self/ns/pid').catch(() => ''), processFacts(pid)]);
  const number = /[0-9]+/.exec(namespace)?.[0] ?? '0';
  return facts === undefined ? undefined : `${number}-${pid}-${facts.startTicks}`;
}

/** Fields by their place in proc_pid_stat(5); the name of the program before them may have spaces and brackets. */
function parseStat(text: string): ProcessFacts {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (place: number) => Number(fields[place - 3]);
  return {
    state: fields[0] ?? '',
    parentPid: field(4),
    cpuTicks: field(14) + field(15) + field(16) + field(17),
    startTicks: field(22),
  };
}
