import type { RunId, SessionId } from '@spanwise/kernel';
import { fenced } from '../../domain/event/event-errors.ts';
import {
  cancellableStatuses,
  type Run,
  type RunEnding,
  runStatusesBefore,
  unfinishedStatuses,
} from '../../domain/run/run.ts';
import type {
  CancelOutcome,
  Finish,
  RunBeginning,
  RunRepository,
  StartedRun,
  StartRequest,
} from '../../domain/run/run-repository.ts';
import type { Session } from '../../domain/session/session.ts';
import { requestIdReused, sessionBusy, sessionNotFound } from '../../domain/session/session-errors.ts';
import type { InMemoryStore } from './in-memory-store.ts';

export class InMemoryRunRepository implements RunRepository {
  readonly #store: InMemoryStore;

  constructor(store: InMemoryStore) {
    this.#store = store;
  }

  async start(request: StartRequest, begin: (session: Session) => RunBeginning): Promise<StartedRun> {
    const entry = this.#store.sessions.get(request.sessionId);
    if (entry === undefined || entry.isDeleted || entry.session.uid !== request.uid) {
      throw sessionNotFound();
    }
    const { sessionId, requestId, fingerprint } = request;
    const before = [...this.#store.runs.values()].find(
      (run) => run.sessionId === sessionId && run.requestId === requestId,
    );
    if (before !== undefined) {
      if (before.fingerprint !== fingerprint) {
        throw requestIdReused();
      }
      const { lastSeq, lastContextSeq } = entry.session;
      return { run: before, isNew: false, lastSeq, lastContextSeq };
    }
    if (entry.session.activeRunId !== undefined) {
      throw sessionBusy(entry.session.activeRunId);
    }
    const { run, events, contextRows } = begin(entry.session);
    const { lastSeq, lastContextSeq } = entry.session;
    const position = { sessionId, runId: run.id, epoch: run.epoch, lastSeq, lastContextSeq };
    this.#store.place(entry, { position, events, contextRows });
    entry.session = { ...entry.session, status: 'RUNNING', activeRunId: run.id, epoch: run.epoch };
    this.#store.runs.set(run.id, run);
    return { run, isNew: true, lastSeq: entry.session.lastSeq, lastContextSeq: entry.session.lastContextSeq };
  }

  async find(sessionId: SessionId, runId: RunId): Promise<Run | undefined> {
    const run = this.#store.runs.get(runId);
    return run?.sessionId === sessionId ? run : undefined;
  }

  async list(sessionId: SessionId, before: RunId | undefined, limit: number): Promise<readonly Run[]> {
    return [...this.#store.runs.values()]
      .filter((run) => run.sessionId === sessionId && (before === undefined || run.id < before))
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, limit);
  }

  async requestCancel(sessionId: SessionId, runId: RunId, reason: string, nowMs: number): Promise<CancelOutcome> {
    const run = await this.find(sessionId, runId);
    if (run === undefined) {
      return 'not-found';
    }
    if (!cancellableStatuses.includes(run.status)) {
      return 'already-ended';
    }
    if (run.cancelRequestedAtMs === undefined) {
      this.#store.runs.set(runId, { ...run, cancelRequestedAtMs: nowMs, cancelReason: reason });
    }
    return 'accepted';
  }

  async cancelRequested(ownerId: string): Promise<readonly RunId[]> {
    return [...this.#store.runs.values()]
      .filter((run) => run.ownerId === ownerId && run.status === 'RUNNING' && run.cancelRequestedAtMs !== undefined)
      .map(({ id }) => id);
  }

  async unfinished(): Promise<readonly Run[]> {
    return [...this.#store.runs.values()].filter(({ status }) => unfinishedStatuses.includes(status));
  }

  async claim(run: Run, ownerId: string): Promise<StartedRun | undefined> {
    const entry = this.#store.sessions.get(run.sessionId);
    const isCurrent = entry?.session.activeRunId === run.id && entry.session.epoch === run.epoch;
    if (entry === undefined || !isCurrent) {
      return undefined;
    }
    const claimed = { ...run, ownerId, epoch: run.epoch + 1, attempt: run.attempt + 1 };
    this.#store.runs.set(run.id, claimed);
    entry.session = { ...entry.session, epoch: claimed.epoch };
    const { lastSeq, lastContextSeq } = entry.session;
    return { run: claimed, isNew: false, lastSeq, lastContextSeq };
  }

  async beginFinishing(runId: RunId, epoch: number): Promise<boolean> {
    const run = this.#store.runs.get(runId);
    const isAllowed =
      run?.epoch === epoch &&
      run.cancelRequestedAtMs === undefined &&
      runStatusesBefore('FINISHING').includes(run.status);
    if (isAllowed) {
      this.#store.runs.set(runId, { ...run, status: 'FINISHING' });
    }
    return isAllowed;
  }

  async finish({ append, ending, terminalSeq, nowMs }: Finish): Promise<void> {
    const { runId, epoch } = append.position;
    this.#store.append(append, (entry) => {
      const run = this.#store.runs.get(runId);
      if (run === undefined || run.epoch !== epoch || !mayEnd(run, ending)) {
        throw fenced();
      }
      this.#store.runs.set(runId, {
        ...run,
        status: ending.status,
        ownerId: undefined,
        terminalSeq,
        ending,
        endedAtMs: nowMs,
      });
      entry.session = { ...entry.session, status: 'IDLE', activeRunId: undefined };
    });
  }
}

function mayEnd(run: Run, { status }: RunEnding): boolean {
  const hasFlag = status !== 'CANCELLED' || run.cancelRequestedAtMs !== undefined;
  return hasFlag && runStatusesBefore(status).includes(run.status);
}
