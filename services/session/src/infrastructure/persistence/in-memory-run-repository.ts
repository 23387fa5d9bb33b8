import type { RunId, SessionId } from '@spanwise/kernel';
import { fenced } from '../../domain/event/event-errors.ts';
import {
  cancellableStatuses,
  drivenStatuses,
  isOver,
  maxQueued,
  type Run,
  type RunEnding,
  runStatusesBefore,
} from '../../domain/run/run.ts';
import {
  type AbandonedLook,
  type BusyPolicy,
  type CancelOutcome,
  type Claim,
  type ClaimedRun,
  type Finish,
  type OwnedRun,
  type RunBeginning,
  type RunRepository,
  rollbackRequested,
  type StartedRun,
  type StartOutcome,
  type StartPlan,
  type StartRequest,
  type Wait,
} from '../../domain/run/run-repository.ts';
import { queueFull, requestIdReused, sessionBusy, sessionNotFound } from '../../domain/session/session-errors.ts';
import { claimInMemory } from './in-memory-claim.ts';
import { dequeued, expiryOf, type InMemoryStore, type SessionEntry } from './in-memory-store.ts';

export class InMemoryRunRepository implements RunRepository {
  readonly #store: InMemoryStore;

  constructor(store: InMemoryStore) {
    this.#store = store;
  }

  async start(request: StartRequest, plan: StartPlan): Promise<StartOutcome> {
    const { sessionId, requestId, fingerprint, busyPolicy } = request;
    const entry = this.#store.sessions.get(sessionId);
    if (entry === undefined || entry.isDeleted || entry.session.uid !== request.uid) {
      throw sessionNotFound();
    }
    const run = [...this.#store.runs.values()].find((each) => isOf(each, sessionId) && each.requestId === requestId);
    if (run !== undefined) {
      if (run.fingerprint !== fingerprint) {
        throw requestIdReused();
      }
      const { lastSeq, lastContextSeq } = entry.session;
      return { kind: 'found', run, lastSeq, lastContextSeq };
    }
    const { activeRunId } = entry.session;
    if (activeRunId === undefined) {
      return { kind: 'started', started: this.#begin(entry, plan.begin(entry.session)) };
    }
    if (busyPolicy === 'reject') {
      throw sessionBusy(activeRunId);
    }
    return this.#enqueue(entry, activeRunId, plan, busyPolicy);
  }

  #begin(entry: SessionEntry, { run, events, contextRows }: RunBeginning): StartedRun {
    const { lastSeq, lastContextSeq, uid } = entry.session;
    const position = { sessionId: run.sessionId, runId: run.id, epoch: run.epoch, lastSeq, lastContextSeq };
    this.#store.place(entry, { position, events, contextRows });
    entry.session = { ...entry.session, status: 'RUNNING', activeRunId: run.id, epoch: run.epoch };
    this.#store.runs.set(run.id, run);
    this.#store.progress.set(run.id, entry.session.lastContextSeq);
    return { run, uid, lastSeq: entry.session.lastSeq, lastContextSeq: entry.session.lastContextSeq };
  }

  #enqueue(entry: SessionEntry, activeRunId: RunId, plan: StartPlan, busyPolicy: BusyPolicy): StartOutcome {
    const cancels = busyPolicy !== 'enqueue';
    const queued = plan.queue(entry.session);
    const { run } = queued;
    if (entry.queue.length >= maxQueued && !cancels) {
      throw queueFull(maxQueued);
    }
    let cancelled: RunId | undefined;
    if (cancels) {
      const rollsBack = busyPolicy === 'rollback';
      const reason = rollsBack ? 'rolled back for another run' : 'interrupted by another run';
      cancelled = this.#flag(activeRunId, reason, run.createdAtMs, rollsBack) ? activeRunId : undefined;
      this.#store.cancelQueue(entry, reason, run.createdAtMs);
    }
    entry.queue.push(queued);
    this.#store.runs.set(run.id, run);
    return { kind: 'queued', run, cancelled };
  }

  async find(sessionId: SessionId, runId: RunId): Promise<Run | undefined> {
    const run = this.#store.runs.get(runId);
    return run?.sessionId === sessionId ? run : undefined;
  }

  async list(sessionId: SessionId, before: RunId | undefined, limit: number): Promise<readonly Run[]> {
    return [...this.#store.runs.values()]
      .filter((run) => isOf(run, sessionId) && (before === undefined || run.id < before))
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, limit);
  }

  async requestCancel(sessionId: SessionId, runId: RunId, reason: string, nowMs: number): Promise<CancelOutcome> {
    const run = await this.find(sessionId, runId);
    if (run === undefined) {
      return 'not-found';
    }
    const entry = this.#store.sessions.get(sessionId);
    if (run.status === 'QUEUED' && entry !== undefined) {
      entry.queue = entry.queue.filter((each) => each.run.id !== runId);
      this.#store.runs.set(runId, dequeued(run, reason, nowMs));
      return 'dequeued';
    }
    return this.#flag(runId, reason, nowMs) ? 'accepted' : 'already-ended';
  }

  async attach(runIds: readonly RunId[]): Promise<void> {
    runIds.forEach((runId) => this.#store.attachedAtMs.set(runId, this.#store.clock.nowMs()));
  }

  async isDetached(runId: RunId, sinceMs: number): Promise<boolean> {
    return (this.#store.attachedAtMs.get(runId) ?? 0) <= this.#store.clock.nowMs() - sinceMs;
  }

  #flag(runId: RunId, reason: string, nowMs: number, rollsBack = false): boolean {
    const run = this.#store.runs.get(runId);
    if (run === undefined || !cancellableStatuses.includes(run.status)) {
      return false;
    }
    const isFirst = run.cancelRequestedAtMs === undefined;
    const flag = isFirst ? { cancelRequestedAtMs: nowMs, cancelReason: reason } : {};
    this.#store.runs.set(runId, { ...run, ...flag, rollsBack: run.rollsBack || rollsBack });
    return true;
  }

  async ownedBy(ownerId: string): Promise<readonly OwnedRun[]> {
    return [...this.#store.runs.values()]
      .filter((run) => run.ownerId === ownerId && (drivenStatuses.includes(run.status) || run.status === 'WAITING'))
      .map((run) => ({ runId: run.id, epoch: run.epoch, isCancelRequested: run.cancelRequestedAtMs !== undefined }));
  }

  async abandoned(look: AbandonedLook): Promise<readonly Run[]> {
    const { nowMs, cancelMs, frozenCancelMs, staleLeaseMs, limit } = look;
    return [...this.#store.runs.values()]
      .filter((run) => {
        if (run.status === 'WAITING') {
          const isOpen = this.#store.interrupts.get(run.id)?.some(({ isSettled }) => !isSettled) ?? false;
          const isDue = !isOpen || run.cancelRequestedAtMs !== undefined || (run.wakeAtMs ?? Infinity) <= nowMs;
          return isDue && !this.#store.isAlive(run.ownerId);
        }
        const isStale = !this.#store.isAlive(run.ownerId, staleLeaseMs);
        const sinceMs = Math.max(run.cancelRequestedAtMs ?? Infinity, this.#store.claimedAtMs.get(run.id) ?? 0);
        const isOverdue = sinceMs <= nowMs - (isStale ? frozenCancelMs : cancelMs);
        return drivenStatuses.includes(run.status) && (isOverdue || !this.#store.isAlive(run.ownerId));
      })
      .slice(0, limit);
  }

  async claim(claim: Claim): Promise<ClaimedRun | undefined> {
    return claimInMemory(this.#store, claim);
  }

  async release(runId: RunId, epoch: number, ownerId: string): Promise<boolean> {
    const run = this.#store.runs.get(runId);
    const isOwn = run?.epoch === epoch && run.ownerId === ownerId && !isOver(run.status);
    if (run !== undefined && isOwn) {
      this.#store.runs.set(runId, { ...run, ownerId: undefined });
    }
    return isOwn;
  }

  async wait({ append, nowMs }: Wait): Promise<boolean> {
    const { runId, sessionId } = append.position;
    const run = this.#store.runs.get(runId);
    const open = (this.#store.interrupts.get(runId) ?? []).filter(({ isSettled }) => !isSettled);
    if (run?.cancelRequestedAtMs !== undefined || open.length === 0) {
      return this.#store.sessions.get(sessionId)?.lastAppend === append;
    }
    this.#store.append(append, (entry) => {
      if (run?.status !== 'RUNNING') {
        throw fenced();
      }
      const wakeAtMs = Math.min(...open.map(({ interrupt }) => expiryOf(interrupt)));
      const remainingMs = run.deadlineAtMs === undefined ? undefined : run.deadlineAtMs - nowMs;
      const wakes = {
        wakeAtMs: Number.isFinite(wakeAtMs) ? wakeAtMs : undefined,
        remainingMs,
        deadlineAtMs: undefined,
      };
      this.#store.runs.set(runId, { ...run, status: 'WAITING', ownerId: undefined, ...wakes });
      entry.session = { ...entry.session, status: 'WAITING' };
    });
    return true;
  }

  async beginFinishing(runId: RunId, epoch: number, ending: RunEnding): Promise<boolean> {
    const run = this.#store.runs.get(runId);
    const isAllowed =
      run?.epoch === epoch &&
      run.cancelRequestedAtMs === undefined &&
      runStatusesBefore('FINISHING').includes(run.status);
    if (isAllowed) {
      this.#store.runs.set(runId, { ...run, status: 'FINISHING', ending });
    }
    return isAllowed;
  }

  async finish({
    append,
    ending,
    terminalSeq,
    nowMs,
    nextOwnerId,
    rollsBack,
    ...finish
  }: Finish): ReturnType<RunRepository['finish']> {
    const { runId, epoch } = append.position;
    const { rollsBack: isMarked = false, epoch: current } = this.#store.runs.get(runId) ?? {};
    if (isMarked && !rollsBack && current === epoch) {
      return rollbackRequested;
    }
    let next: SessionEntry | undefined;
    this.#store.append(append, (entry) => {
      const run = this.#store.runs.get(runId);
      if (run === undefined || run.epoch !== epoch || run.rollsBack !== rollsBack || !mayEnd(run, ending)) {
        throw fenced();
      }
      const over = { status: ending.status, ownerId: undefined, sealedToken: '' } as const;
      this.#store.runs.set(runId, { ...run, ...over, terminalSeq, ending, endedAtMs: nowMs });
      entry.session = { ...entry.session, status: 'IDLE', activeRunId: undefined };
      next = entry;
    });
    if (next !== undefined && rollsBack) {
      const { superseded } = next;
      next.context.filter((message) => message.runId === runId).forEach(({ seq }) => superseded.add(seq));
    }
    const queued = next?.queue.shift();
    if (next === undefined || queued === undefined) {
      return undefined;
    }
    const beginning = finish.beginNext(queued, next.session);
    return this.#begin(next, { ...beginning, run: { ...beginning.run, ownerId: nextOwnerId } });
  }
}

function isOf(run: Run, sessionId: SessionId): boolean {
  return run.sessionId === sessionId;
}

function mayEnd(run: Run, { status }: RunEnding): boolean {
  const hasFlag = status !== 'CANCELLED' || run.cancelRequestedAtMs !== undefined;
  return hasFlag && !isOver(run.status) && runStatusesBefore(status).includes(run.status);
}
