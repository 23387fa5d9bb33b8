import { setTimeout as delay } from 'node:timers/promises';
import { diskUnavailable } from '../../../domain/disk/disk-errors.ts';
import { untilAborted } from './until-aborted.ts';

export interface StoreSlotsDeps {
  /** Name of the disk. */
  readonly name: string;
  /** Requests at a time. */
  readonly slots: number;
  /** Milliseconds for a request, and again as long for waiting until it may begin. */
  readonly timeoutMs: number;
}

/**
 * Requests to a store. They can not be taken back: one that nobody waits for any more keeps its slot until it ends, so that
 * a store that answers nothing can not make them pile up.
 */
export class StoreSlots {
  readonly #deps: StoreSlotsDeps;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(deps: StoreSlotsDeps) {
    this.#deps = deps;
    this.#free = deps.slots;
  }

  /** A request that changes nothing: given up when `signal` is aborted, or after the time that it has. */
  async read<Result>(ask: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    await this.#enter(signal);
    return this.#within(this.#leaveAfter(ask), this.#deps.timeoutMs, signal);
  }

  /**
   * A request that changes something: once begun its end is waited for, whoever has gone, so that nothing is changed after
   * the call that asked for it. The driver ends it in time; twice that is for a driver that does not.
   */
  async change<Result>(ask: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    await this.#enter(signal);
    return this.#within(this.#leaveAfter(ask), 2 * this.#deps.timeoutMs);
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const { promise: turn, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    try {
      await this.#within(turn, this.#deps.timeoutMs, signal);
    } catch (error) {
      const place = this.#waiting.indexOf(resolve);
      if (place === -1) {
        this.#leave();
      } else {
        this.#waiting.splice(place, 1);
      }
      throw error;
    }
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#free += 1;
    } else {
      next();
    }
  }

  async #leaveAfter<Result>(ask: () => Promise<Result>): Promise<Result> {
    try {
      return await ask();
    } finally {
      this.#leave();
    }
  }

  async #within<Result>(work: Promise<Result>, ms: number, signal: AbortSignal = new AbortController().signal) {
    const timer = new AbortController();
    const late = delay(ms, undefined, { signal: timer.signal }).then(() => {
      throw diskUnavailable(this.#deps.name, `no answer within ${ms} ms`);
    });
    late.catch(() => undefined);
    try {
      return await untilAborted(Promise.race([work, late]), signal);
    } finally {
      timer.abort();
    }
  }
}
