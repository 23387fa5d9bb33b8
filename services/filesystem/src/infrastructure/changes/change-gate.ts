import { setTimeout as delay } from 'node:timers/promises';
import type { SessionId } from '@spanwise/kernel';
import { type Change, isStopped } from '../../domain/change/change.ts';
import { changesGoOn } from '../../domain/change/change-errors.ts';
import { Turns } from './turns.ts';

/** How long a fence waits for changes that began before it. */
const maxWaitMs = 5000;

interface Running {
  readonly epoch: number | undefined;
  readonly ended: Promise<unknown>;
}

/** The changes that go on in this process: what stands in for transactions where a disk has none. */
export class ChangeGate {
  readonly #running = new Map<SessionId, Set<Running>>();
  readonly #turns = new Turns();
  readonly #maxWaitMs: number;

  constructor(options: { readonly maxWaitMs?: number } = {}) {
    this.#maxWaitMs = options.maxWaitMs ?? maxWaitMs;
  }

  /** Makes a change after those with the same key. From before `work` begins until it ends, fences wait for it. */
  async run<Result>(change: Change, work: () => Promise<Result>): Promise<Result> {
    const { viewId, once, sessionId, epoch } = change;
    const result = once === undefined ? work() : this.#turns.inTurn(`${viewId} ${once.key}`, work);
    const running: Running = { epoch, ended: result.catch(() => undefined) };
    const ofSession = this.#running.get(sessionId) ?? new Set();
    this.#running.set(sessionId, ofSession.add(running));
    try {
      return await result;
    } finally {
      ofSession.delete(running);
      if (ofSession.size === 0) {
        this.#running.delete(sessionId);
      }
    }
  }

  /** Waits for the changes that a fence stops and that have begun. Throws DISK_UNAVAILABLE when one does not end. */
  async stopped(sessionId: SessionId, fence: number): Promise<void> {
    const ofSession = this.#running.get(sessionId) ?? [];
    const before = [...ofSession].filter(({ epoch }) => isStopped(epoch, fence)).map(({ ended }) => ended);
    if (before.length === 0) {
      return;
    }
    const left = new AbortController();
    const tooLate = delay(this.#maxWaitMs, 'too late' as const, { signal: left.signal });
    tooLate.catch(() => undefined);
    try {
      if ((await Promise.race([Promise.all(before), tooLate])) === 'too late') {
        throw changesGoOn();
      }
    } finally {
      left.abort();
    }
  }
}
