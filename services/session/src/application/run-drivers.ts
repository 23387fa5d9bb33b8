import type { RunId } from '@spanwise/kernel';
import type { ClaimedRun, StartedRun } from '../domain/run/run-repository.ts';
import type { DriveRun } from './drive-run.ts';
import type { DriveSignals } from './drive-signals.ts';
import type { Caller } from './ports/caller.ts';
import type { TokenSeal } from './ports/token-seal.ts';

interface Driven {
  readonly cancel: AbortController;
  readonly done: Promise<void>;
}

/** The runs that this process drives. */
export class RunDrivers implements AsyncDisposable {
  readonly #driveRun: DriveRun;
  readonly #tokens: TokenSeal;
  readonly #driven = new Map<RunId, Driven>();
  readonly #leave = new AbortController();
  #lost = new AbortController();
  #leaveGraceMs = 0;

  constructor(driveRun: DriveRun, tokens: TokenSeal) {
    this.#driveRun = driveRun;
    this.#tokens = tokens;
  }

  /** Drives a run until it is over or given up, then the one that follows it in its session; does not wait for that. */
  drive(taken: StartedRun | ClaimedRun, caller?: Caller): void {
    const { id } = taken.run;
    if (this.#driven.has(id)) {
      // A start whose answer was lost may find its run after it was begun here.
      return;
    }
    const cancel = new AbortController();
    const signals: DriveSignals = {
      cancel: cancel.signal,
      leave: this.#leave.signal,
      leaveGraceMs: () => this.#leaveGraceMs,
      lost: this.#lost.signal,
    };
    const { email, sealedToken } = taken.run;
    // What the request that has brought the run here does not say of its user was kept with the run, if anything was.
    const token = caller?.token || this.#tokens.open(sealedToken, id);
    const identity = { uid: taken.uid, email: caller?.email || email, token };
    const done = this.#driveRun.execute(taken, identity, signals).then((next) => {
      this.#driven.delete(id);
      if (next !== undefined) {
        this.drive(next);
      }
    });
    this.#driven.set(id, { cancel, done });
  }

  /** Stops a run whose cancel flag is set. True when it is driven here. */
  cancel(runId: RunId): boolean {
    const driven = this.#driven.get(runId);
    driven?.cancel.abort();
    return driven !== undefined;
  }

  isDriving(runId: RunId): boolean {
    return this.#driven.has(runId);
  }

  get count(): number {
    return this.#driven.size;
  }

  /** True from the begin of a shutdown: nothing is begun or taken any more. */
  get isLeaving(): boolean {
    return this.#leave.signal.aborted;
  }

  /** The lease is gone: others may have the runs. What is driven later is driven under the next one. */
  loseAll(): void {
    this.#lost.abort();
    this.#lost = new AbortController();
  }

  /** Lets go of every run in good order, each after its turn or the grace, and resolves when none is left. */
  async leave(graceMs: number): Promise<void> {
    this.#leaveGraceMs = graceMs;
    this.#leave.abort();
    while (this.#driven.size > 0) {
      await Promise.all([...this.#driven.values()].map(({ done }) => done));
    }
  }

  /** Lets go of every run at once. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.leave(0);
  }
}
