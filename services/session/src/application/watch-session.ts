import type { RunId, SessionId } from '@spanwise/kernel';
import { cursorOutOfRange } from '../domain/event/event-errors.ts';
import type { EventLog } from '../domain/event/event-log.ts';
import { runNotFound } from '../domain/run/run-errors.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import { sessionNotFound } from '../domain/session/session-errors.ts';
import type { SessionRepository } from '../domain/session/session-repository.ts';
import { type FollowStep, followLog } from './follow-log.ts';
import type { Caller } from './ports/caller.ts';
import type { SessionHub } from './session-hub.ts';

export interface WatchSessionRequest {
  readonly caller: Caller;
  readonly sessionId: SessionId;
  /** Events after this seq; 0 = from the first kept; -1 = only new ones. */
  readonly afterSeq: number;
  readonly runId: RunId | undefined;
  readonly live: boolean;
}

export interface WatchSessionDeps {
  readonly sessions: SessionRepository;
  readonly runs: RunRepository;
  readonly log: EventLog;
  readonly hub: SessionHub;
}

/** Watches a session's log from any cursor: what is there, that it has caught up, and then what happens. */
export class WatchSession {
  readonly #deps: WatchSessionDeps;

  constructor(deps: WatchSessionDeps) {
    this.#deps = deps;
  }

  /**
   * Goes on until the signal, or a handoff. Throws SESSION_NOT_FOUND, also when the session is deleted later;
   * RUN_NOT_FOUND; CURSOR_OUT_OF_RANGE, also when what it has not read yet is thrown away; TOO_MANY_WATCHERS,
   * WATCHER_TOO_SLOW.
   */
  async *execute(request: WatchSessionRequest, signal: AbortSignal): AsyncGenerator<FollowStep, void> {
    const { sessions, runs, log, hub } = this.#deps;
    const { caller, sessionId, runId, live } = request;
    const session = await sessions.find(caller.uid, sessionId);
    if (session === undefined) {
      throw sessionNotFound();
    }
    if (runId !== undefined && (await runs.find(sessionId, runId)) === undefined) {
      throw runNotFound();
    }
    const { firstSeq, lastSeq } = session;
    const afterSeq = request.afterSeq === -1 ? lastSeq : request.afterSeq === 0 ? firstSeq - 1 : request.afterSeq;
    if (afterSeq > lastSeq || afterSeq < firstSeq - 1) {
      throw cursorOutOfRange(afterSeq, firstSeq, lastSeq);
    }
    const query = { sessionId, afterSeq, endsWithRun: false, live, ...(runId === undefined ? {} : { runId }) };
    yield* followLog({ log, hub }, query, signal);
  }
}
