import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DomainError } from '@spanwise/kernel';

/** Full path of an installed program; undefined when it is not installed. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path));
}

/** Starts a server program that ends with this process. */
export function startServer(program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const stop = () => child.kill('SIGKILL');
  process.once('exit', stop);
  child.once('exit', () => process.off('exit', stop));
  return child;
}

/** Ends a server: SIGTERM, and SIGKILL after two seconds. */
export async function stopServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 2000);
  await exited;
  clearTimeout(killer);
}

/** Tries until `attempt` answers something, every 20 ms for at most 20 s, or until the server has ended. */
export async function waitFor<Result>(
  child: ChildProcess,
  attempt: () => Promise<Result | undefined>,
): Promise<Result> {
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-2000);
  });
  for (let tries = 0; tries < 1000 && child.exitCode === null; tries += 1) {
    const result = await attempt().catch(() => undefined);
    if (result !== undefined) {
      return result;
    }
    await delay(20);
  }
  throw new DomainError('unavailable', 'INTERNAL', `${child.spawnfile} did not start: ${stderr}`);
}
