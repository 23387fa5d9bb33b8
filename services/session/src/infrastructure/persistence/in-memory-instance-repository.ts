import type { RunId, SessionId } from '@spanwise/kernel';
import { type Interrupt, interruptKind } from '../../domain/event/agent-event.ts';
import type { Instance, InstanceRepository, WatchedSession } from '../../domain/instance/instance-repository.ts';
import type { AnswerOutcome, InterruptRepository, OwnersAnswer } from '../../domain/run/interrupt-repository.ts';
import { isOver } from '../../domain/run/run.ts';
import { expiryOf, type InMemoryStore, type StoredInterrupt } from './in-memory-store.ts';

export class InMemoryInstanceRepository implements InstanceRepository {
  readonly #store: InMemoryStore;

  constructor(store: InMemoryStore) {
    this.#store = store;
  }

  async register(instance: Instance, leaseMs: number): Promise<void> {
    const leaseUntilMs = this.#store.clock.nowMs() + leaseMs;
    this.#store.instances.set(instance.id, { ...instance, leaseUntilMs, isDraining: false });
  }

  async renew(id: string, leaseMs: number): Promise<boolean> {
    const instance = this.#store.instances.get(id);
    if (instance === undefined || !this.#store.isAlive(id)) {
      return false;
    }
    instance.leaseUntilMs = this.#store.clock.nowMs() + leaseMs;
    return true;
  }

  async drain(id: string): Promise<void> {
    const instance = this.#store.instances.get(id);
    if (instance !== undefined) {
      instance.isDraining = true;
    }
  }

  async remove(id: string): Promise<void> {
    this.#store.instances.delete(id);
  }

  async removeOthers(id: string): Promise<void> {
    [...this.#store.instances.keys()].filter((other) => other !== id).forEach((other) => void this.remove(other));
  }

  async removeDead(olderThanMs: number): Promise<void> {
    const limitMs = this.#store.clock.nowMs() - olderThanMs;
    const dead = [...this.#store.instances.values()].filter(({ leaseUntilMs }) => leaseUntilMs < limitMs);
    dead.forEach(({ id }) => this.#store.instances.delete(id));
  }

  async alive(): Promise<readonly Instance[]> {
    const all = [...this.#store.instances.values()];
    return all.filter(({ id, isDraining }) => !isDraining && this.#store.isAlive(id)).map(instanceOf);
  }

  async find(id: string): Promise<Instance | undefined> {
    const instance = this.#store.instances.get(id);
    return instance && instanceOf(instance);
  }

  async watched(sessionIds: readonly SessionId[]): Promise<readonly WatchedSession[]> {
    return sessionIds.flatMap((sessionId) => {
      const { session, isDeleted } = this.#store.sessions.get(sessionId) ?? {};
      if (session === undefined || (isDeleted && session.activeRunId === undefined)) {
        return [];
      }
      const ownerId = session.activeRunId && this.#store.runs.get(session.activeRunId)?.ownerId;
      const owner = this.#store.isAlive(ownerId) ? this.#store.instances.get(ownerId ?? '') : undefined;
      return [{ sessionId, lastSeq: session.lastSeq, owner: owner && instanceOf(owner) }];
    });
  }
}

function instanceOf({ id, address }: Instance): Instance {
  return { id, address };
}

export class InMemoryInterruptRepository implements InterruptRepository {
  readonly #store: InMemoryStore;

  constructor(store: InMemoryStore) {
    this.#store = store;
  }

  async find(sessionId: SessionId, runId: RunId, interruptId: string): Promise<Interrupt | undefined> {
    const isOwn = this.#store.runs.get(runId)?.sessionId === sessionId;
    const stored = isOwn ? this.#store.interrupts.get(runId) : undefined;
    return stored?.find(({ interrupt }) => interrupt.id === interruptId)?.interrupt;
  }

  async answer(answer: OwnersAnswer, nowMs: number): Promise<AnswerOutcome> {
    const { sessionId, runId, interruptId, answerJson, answeredBy, sealedToken } = answer;
    const run = this.#store.runs.get(runId);
    const found = this.#store.interrupts.get(runId)?.find(({ interrupt }) => interrupt.id === interruptId);
    if (run?.sessionId !== sessionId || found === undefined) {
      return 'not-found';
    }
    if (found.isSettled) {
      return found.answer?.json === answerJson ? 'answered' : 'answered-before';
    }
    if (isOver(run.status)) {
      return 'not-found';
    }
    if (expiryOf(found.interrupt) <= nowMs) {
      return 'answered-before';
    }
    const isMeant = ({ interrupt, isSettled }: StoredInterrupt) =>
      interrupt === found.interrupt ||
      (found.interrupt.kind === interruptKind.auth &&
        interrupt.kind === interruptKind.auth &&
        !isSettled &&
        expiryOf(interrupt) > nowMs);
    for (const each of (this.#store.interrupts.get(runId) ?? []).filter(isMeant)) {
      each.isSettled = true;
      each.answer = { json: answerJson, by: answeredBy };
    }
    if (sealedToken !== undefined) {
      this.#store.runs.set(runId, { ...run, sealedToken });
    }
    return 'answered';
  }

  async open(runId: RunId): Promise<readonly Interrupt[]> {
    const stored = this.#store.interrupts.get(runId) ?? [];
    return stored.filter(({ isSettled }) => !isSettled).map(({ interrupt }) => interrupt);
  }
}
