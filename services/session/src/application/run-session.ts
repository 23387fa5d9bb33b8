import { DomainError } from '@spanwise/kernel';
import { cursorOutOfRange } from '../domain/event/event-errors.ts';
import type { EventLog } from '../domain/event/event-log.ts';
import { isOver, type Run } from '../domain/run/run.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import type { SessionRepository } from '../domain/session/session-repository.ts';
import { awaitStart } from './await-start.ts';
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
  readonly runs: RunRepository;
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

/**
 * Starts a run, or attaches to the one that the same request started, and watches it to its end, or until it waits for an
 * answer.
 */
export class RunSession {
  readonly #deps: RunSessionDeps;

  constructor(deps: RunSessionDeps) {
    this.#deps = deps;
  }

  /**
   * The run first, then its events after the cursor, ending after its terminal event or RUN_WAITING. A run that is queued
   * is waited for; when it is cancelled before it began, it is told once more, and that is the end. The run goes on when
   * the stream is closed, unless it asked otherwise. Throws what StartRun throws, CURSOR_OUT_OF_RANGE, TOO_MANY_WATCHERS
   * and WATCHER_TOO_SLOW.
   */
  async *execute(request: RunSessionRequest, { signal, isLeftByClient }: Stream): AsyncGenerator<RunSessionStep, void> {
    const { startRun, disconnects, cancelRun } = this.#deps;
    await this.#assertCursor(request);
    await this.#assertRoom(request);
    const { run } = await startRun.execute(request);
    const { sessionId, id: runId } = run;
    if (request.cancelsOnDisconnect) {
      disconnects.opened(runId);
    }
    let isDone = false;
    try {
      yield { kind: 'run', run };
      yield* this.#watch(run, request, signal);
      isDone = !signal.aborted;
    } catch (error) {
      // What this process refuses is not the client's leaving.
      isDone = error instanceof DomainError;
      throw error;
    } finally {
      if (request.cancelsOnDisconnect) {
        const cancel = { caller: request.caller, sessionId, runId, reason: 'the caller left' };
        disconnects.closed(runId, !isDone && isLeftByClient(), () => cancelRun.execute(cancel));
      }
    }
  }

  async *#watch(first: Run, request: RunSessionRequest, signal: AbortSignal): AsyncGenerator<RunSessionStep, void> {
    const { runs, log, hub } = this.#deps;
    const isQueued = first.startSeq === 0 && !isOver(first.status);
    const run = isQueued ? yield* awaitStart({ runs, hub }, first, request.afterSeq, signal) : first;
    if (run === undefined) {
      return;
    }
    if (isQueued && run.startSeq === 0) {
      yield { kind: 'run', run };
      return;
    }
    const { sessionId, id: runId, status } = run;
    const afterSeq = Math.max(request.afterSeq, run.startSeq - 1);
    if (isOver(status) && afterSeq >= run.terminalSeq) {
      // The caller has the terminal event already, and nothing comes after it.
      return;
    }
    if (isOver(status)) {
      await this.#assertKept(run, request, afterSeq);
    }
    const isWaiting = status === 'WAITING';
    const query = { sessionId, runId, afterSeq, endsWithRun: true, isWaiting, live: request.live };
    yield* followLog({ log, hub }, query, signal);
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

  /** What was trimmed is not told as if it had never been. */
  async #assertKept({ sessionId }: Run, { caller }: RunSessionRequest, afterSeq: number): Promise<void> {
    const { firstSeq, lastSeq } = await ownSession(this.#deps.sessions, caller, sessionId);
    if (afterSeq < firstSeq - 1) {
      throw cursorOutOfRange(afterSeq, firstSeq, lastSeq);
    }
  }

  /** Nothing is started for a stream that is refused. Whose session it is comes first: others learn nothing of it. */
  async #assertRoom({ caller, sessionId }: RunSessionRequest): Promise<void> {
    const { sessions, hub } = this.#deps;
    if (!hub.hasRoom(sessionId)) {
      await ownSession(sessions, caller, sessionId);
      hub.assertRoom(sessionId);
    }
  }
}
