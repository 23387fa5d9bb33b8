import type { Clock, RunId, SessionId } from '@spanwise/kernel';
import { isOver, type Run } from '../domain/run/run.ts';
import { noActiveRun, runNotFound } from '../domain/run/run-errors.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import type { SessionRepository } from '../domain/session/session-repository.ts';
import type { AnnounceCancel } from './announce-cancel.ts';
import { pause } from './backoff.ts';
import type { Caller } from './ports/caller.ts';
import { ownSession } from './session-access.ts';
import { throughOutage } from './through-outage.ts';

/** How long a caller waits for the end of a run at most, and how often it is looked for. */
const waitMs = 15_000;
const lookMs = 25;

export interface CancelRunRequest {
  readonly caller: Caller;
  readonly sessionId: SessionId;
  /** Undefined = the active one. */
  readonly runId: RunId | undefined;
  readonly reason: string;
  /** Whether to answer only when nothing of the run is going on; default false. */
  readonly waits?: boolean;
}

export interface CancelRunDeps {
  readonly sessions: SessionRepository;
  readonly runs: RunRepository;
  readonly announceCancel: AnnounceCancel;
  readonly clock: Clock;
}

/** Asks a run to stop: sets the durable flag, then tells whoever holds the run. What was accepted never completes. */
export class CancelRun {
  readonly #deps: CancelRunDeps;

  constructor(deps: CancelRunDeps) {
    this.#deps = deps;
  }

  /**
   * Answers once the flag is committed (guard acknowledgesCancelAfterCommit), or, when it waits, once the run is over; after
   * 15 s as it is then. Throws SESSION_NOT_FOUND, RUN_NOT_FOUND, NO_ACTIVE_RUN.
   */
  async execute(
    request: CancelRunRequest,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<{ readonly isAccepted: boolean; readonly run: Run }> {
    const { sessions, runs, announceCancel, clock } = this.#deps;
    const { caller, sessionId, reason, waits = false } = request;
    const session = await ownSession(sessions, caller, sessionId);
    const runId = request.runId ?? session.activeRunId;
    if (runId === undefined) {
      throw noActiveRun();
    }
    const outcome = await throughOutage(clock, () => runs.requestCancel(sessionId, runId, reason, clock.nowMs()));
    if (outcome === 'accepted') {
      announceCancel.execute({ id: runId, sessionId });
    } else if (outcome === 'dequeued') {
      announceCancel.dequeued({ sessionId });
    }
    const run =
      outcome === 'accepted' && waits ? await this.#ended(sessionId, runId, signal) : await runs.find(sessionId, runId);
    if (outcome === 'not-found' || run === undefined) {
      throw runNotFound();
    }
    return { isAccepted: outcome !== 'already-ended', run };
  }

  async #ended(sessionId: SessionId, runId: RunId, signal: AbortSignal): Promise<Run | undefined> {
    const { runs, clock } = this.#deps;
    const untilMs = clock.monotonicMs() + waitMs;
    for (;;) {
      const run = await runs.find(sessionId, runId);
      if (run === undefined || isOver(run.status) || signal.aborted || clock.monotonicMs() > untilMs) {
        return run;
      }
      await pause(lookMs, signal);
    }
  }
}
