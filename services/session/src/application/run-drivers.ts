import type { RunId } from '@spanwise/kernel';
import type { StartedRun } from '../domain/run/run-repository.ts';
import type { DriveRun } from './drive-run.ts';
import type { Caller } from './ports/caller.ts';

interface Driven {
  readonly cancel: AbortController;
  readonly done: Promise<void>;
}

/** The runs that this process drives. */
export class RunDrivers implements AsyncDisposable {
  readonly #driveRun: DriveRun;
  readonly #driven = new Map<RunId, Driven>();
  readonly #shutdown = new AbortController();

  constructor(driveRun: DriveRun) {
    this.#driveRun = driveRun;
  }

  /** Drives a run until it is over; does not wait for that. */
  drive(started: StartedRun, caller: Caller): void {
    const cancel = new AbortController();
    const signals = { cancel: cancel.signal, shutdown: this.#shutdown.signal };
    const done = this.#driveRun.execute(started, caller, signals).finally(() => this.#driven.delete(started.run.id));
    this.#driven.set(started.run.id, { cancel, done });
  }

  /** Stops a run whose cancel flag is set. True when it is driven here. */
  cancel(runId: RunId): boolean {
    const driven = this.#driven.get(runId);
    driven?.cancel.abort();
    return driven !== undefined;
  }

  get count(): number {
    return this.#driven.size;
  }

  /** Ends every run as failed, so that its session takes the next one. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#shutdown.abort();
    await Promise.all([...this.#driven.values()].map(({ done }) => done));
  }
}
