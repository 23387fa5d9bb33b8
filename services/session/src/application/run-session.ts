import { cursorOutOfRange } from '../domain/event/event-errors.ts';
import type { EventLog } from '../domain/event/event-log.ts';
import { isOver, type Run } from '../domain/run/run.ts';
import type { SessionRepository } from '../domain/session/session-repository.ts';
import type { CancelRun } from './cancel-run.ts';
import type { Disconnects } from './disconnects.ts';
import { type FollowStep, followLog } from './follow-log.ts';
import { ownSession } from './session-access.ts';
import type { SessionHub } from './session-hub.ts';
import type { StartRun, StartRunRequest } from './start-run.ts';

export interface RunSessionRequest extends StartRunRequest {
  /** Events after this seq; 0 = from RUN_START. */
  readonly afterSeq: number;
  readonly live: boolean;
  /** Cancels the run when its last such stream is closed by its client. */
  readonly cancelsOnDisconnect: boolean;
}

export interface RunSessionDeps {
  readonly startRun: StartRun;
  readonly cancelRun: CancelRun;
  readonly sessions: SessionRepository;
  readonly log: EventLog;
  readonly hub: SessionHub;
  readonly disconnects: Disconnects;
}

/** The caller's stream. */
export interface Stream {
  readonly signal: AbortSignal;
  /** Tells, once the signal is aborted, whether the client left; false when the server ended the stream. */
  readonly isLeftByClient: () => boolean;
}

export type RunSessionStep = { readonly kind: 'run'; readonly run: Run } | FollowStep;

/** Starts a run, or attaches to the one that the same request started, and watches it to its end. */
export class RunSession {
  readonly #deps: RunSessionDeps;

  constructor(deps: RunSessionDeps) {
    this.#deps = deps;
  }

  /**
   * The run first, then its events after the cursor, ending after its terminal event. The run goes on when the stream is
   * closed, unless it asked otherwise. Throws what StartRun throws, and CURSOR_OUT_OF_RANGE.
   */
  async *execute(request: RunSessionRequest, { signal, isLeftByClient }: Stream): AsyncGenerator<RunSessionStep, void> {
    const { startRun, log, hub, disconnects, cancelRun } = this.#deps;
    await this.#assertCursor(request);
    const { run } = await startRun.execute(request);
    const { sessionId, id: runId } = run;
    const afterSeq = Math.max(request.afterSeq, run.startSeq - 1);
    if (request.cancelsOnDisconnect) {
      disconnects.opened(runId);
    }
    let isDone = false;
    try {
      yield { kind: 'run', run };
      if (isOver(run.status) && afterSeq >= run.terminalSeq) {
        // The caller has the terminal event already, and nothing comes after it.
        isDone = true;
        return;
      }
      const query = { sessionId, runId, afterSeq, endsWithRun: true, live: request.live };
      yield* followLog({ log, hub }, query, signal);
      isDone = !signal.aborted;
    } finally {
      if (request.cancelsOnDisconnect) {
        const cancel = { caller: request.caller, sessionId, runId, reason: 'the caller left' };
        disconnects.closed(runId, !isDone && isLeftByClient(), () => {
          cancelRun.execute(cancel).catch(() => undefined);
        });
      }
    }
  }

  /** A cursor beyond the log is refused before anything is started. */
  async #assertCursor({ caller, sessionId, afterSeq }: RunSessionRequest): Promise<void> {
    if (afterSeq > 0) {
      const { firstSeq, lastSeq } = await ownSession(this.#deps.sessions, caller, sessionId);
      if (afterSeq > lastSeq) {
        throw cursorOutOfRange(afterSeq, firstSeq, lastSeq);
      }
    }
  }
}
