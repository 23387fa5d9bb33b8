import type { Clock, RunId, SessionId } from '@spanwise/kernel';
import type { Run } from '../domain/run/run.ts';
import { noActiveRun, runNotFound } from '../domain/run/run-errors.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import { sessionNotFound } from '../domain/session/session-errors.ts';
import type { SessionRepository } from '../domain/session/session-repository.ts';
import type { Caller } from './ports/caller.ts';
import type { CancelSignal } from './ports/cancel-signal.ts';
import type { RunDrivers } from './run-drivers.ts';

export interface CancelRunRequest {
  readonly caller: Caller;
  readonly sessionId: SessionId;
  /** Undefined = the active one. */
  readonly runId: RunId | undefined;
  readonly reason: string;
}

export interface CancelRunDeps {
  readonly sessions: SessionRepository;
  readonly runs: RunRepository;
  readonly drivers: RunDrivers;
  readonly signal: CancelSignal;
  readonly clock: Clock;
}

/** Asks a run to stop: sets the durable flag, then tells whoever holds the run. What was accepted never completes. */
export class CancelRun {
  readonly #deps: CancelRunDeps;

  constructor(deps: CancelRunDeps) {
    this.#deps = deps;
  }

  /** Throws SESSION_NOT_FOUND, RUN_NOT_FOUND, NO_ACTIVE_RUN. */
  async execute(request: CancelRunRequest): Promise<{ readonly isAccepted: boolean; readonly run: Run }> {
    const { sessions, runs, drivers, signal, clock } = this.#deps;
    const { caller, sessionId, reason } = request;
    const session = await sessions.find(caller.uid, sessionId);
    if (session === undefined) {
      throw sessionNotFound();
    }
    const runId = request.runId ?? session.activeRunId;
    if (runId === undefined) {
      throw noActiveRun();
    }
    const outcome = await runs.requestCancel(sessionId, runId, reason, clock.nowMs());
    const run = outcome === 'not-found' ? undefined : await runs.find(sessionId, runId);
    if (run === undefined) {
      throw runNotFound();
    }
    if (outcome === 'accepted') {
      drivers.cancel(runId);
      // Also when it is driven here: the executor hears it without the way over the driver. The flag is what counts, so
      // nothing waits for it.
      void signal.send(runId, run.span);
    }
    return { isAccepted: outcome === 'accepted', run };
  }
}
