import type { SandboxCommand, SandboxExit, SandboxLimits, SandboxRunner } from '../sandbox-runner.ts';
import { defaultSandboxLimits } from '../sandbox-runner.ts';
import { checkIsolation } from './check-isolation.ts';
import { CommandProcess } from './command-process.ts';
import { CommandRun } from './command-run.ts';
import type { LaunchLimits } from './launch.ts';

/** How long a process waits for the next command before it is ended: it takes some 100 MiB. */
const waitingMs = 5 * 60_000;

/**
 * Commands in a shell that is written in JavaScript: no program of the machine is run, and no file of it is seen. Each command
 * has a process of its own, which is gone after it. The process has no permission for anything (no files, no network, no
 * processes, no environment): what its shell does to files it asks for, and gets done on the view of the run.
 *
 * After a command one process more is kept waiting for some minutes, so that the next command begins at once.
 */
export class VirtualSandbox implements SandboxRunner {
  readonly level = 'virtual';
  readonly #processes = new Set<CommandProcess>();
  #waiting: CommandProcess | undefined;
  #waitingTimer: NodeJS.Timeout | undefined;
  #isDisposed = false;

  async check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const process = this.#start(defaultSandboxLimits);
    try {
      await checkIsolation(process, signal);
    } finally {
      process.kill();
      await process.ended;
    }
  }

  async run(command: SandboxCommand, signal: AbortSignal): Promise<SandboxExit> {
    signal.throwIfAborted();
    const process = this.#take(command.limits);
    try {
      const mounts = await command.files.mounts();
      signal.throwIfAborted();
      return await new CommandRun(process, command).finish(mounts, signal);
    } finally {
      process.kill();
      await process.ended;
      this.#keepWaiting();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    clearTimeout(this.#waitingTimer);
    const processes = [...this.#processes];
    processes.forEach((process) => process.kill());
    await Promise.all(processes.map(({ ended }) => ended));
  }

  /** The one that waits, if it may use as much as this command. */
  #take(limits: SandboxLimits): CommandProcess {
    const waiting = this.#waiting;
    if (waiting?.isAlive === true && isSame(waiting.limits, limits)) {
      this.#waiting = undefined;
      return waiting;
    }
    return this.#start(limits);
  }

  #keepWaiting(): void {
    if (this.#isDisposed) {
      return;
    }
    if (this.#waiting?.isAlive !== true) {
      this.#waiting = this.#start(defaultSandboxLimits);
    }
    clearTimeout(this.#waitingTimer);
    this.#waitingTimer = setTimeout(() => this.#waiting?.kill(), waitingMs);
    this.#waitingTimer.unref();
  }

  #start({ cpuSeconds, memoryBytes, openFiles }: LaunchLimits): CommandProcess {
    const process = new CommandProcess({ cpuSeconds, memoryBytes, openFiles });
    this.#processes.add(process);
    void process.ended.then(() => this.#processes.delete(process));
    return process;
  }
}

function isSame(limits: LaunchLimits, { cpuSeconds, memoryBytes, openFiles }: LaunchLimits): boolean {
  return limits.cpuSeconds === cpuSeconds && limits.memoryBytes === memoryBytes && limits.openFiles === openFiles;
}
