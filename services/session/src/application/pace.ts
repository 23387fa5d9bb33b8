import { watcherTooSlow } from '../domain/event/event-errors.ts';
import type { Subscription } from './subscription.ts';

/** Silence after which a sign of life is sent. */
export const heartbeatMs = 10_000;

/** How long a stream has said nothing, also while it passes over what it was not asked for. */
export class Silence implements Disposable {
  isTooLong = false;
  readonly #timer = setTimeout(() => {
    this.isTooLong = true;
  }, heartbeatMs);

  /** Something is said: it begins anew. */
  end(): void {
    this.isTooLong = false;
    this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Watches whether a stream is read. A client that does not read fills the windows of HTTP/2; then nobody asks the stream's
 * generator for more, and a generator that nobody asks can not throw. So after `slowMs` the subscription is ended, which frees
 * its queue and its place among the watchers at once, and the error comes when the client reads on, after what was on its
 * way: trailers can not overtake data. What remains of a client that never does is one sleeping generator on its
 * connection, and what HTTP/2 has buffered.
 */
export class Pace implements Disposable {
  readonly #subscription: Subscription;
  readonly #timer: NodeJS.Timeout;
  #isHanded = false;
  #isTooSlow = false;

  /** `slowMs` is how long a stream may take nothing while something waits for it. */
  constructor(subscription: Subscription, slowMs: number) {
    this.#subscription = subscription;
    this.#timer = setTimeout(() => this.#look(), slowMs);
  }

  /** A step is handed to whoever sends it. */
  handed(): void {
    this.#isHanded = true;
    this.#timer.refresh();
  }

  /** It was taken. Throws WATCHER_TOO_SLOW when that was too late; `lastSeq` tells what the stream has carried. */
  taken(lastSeq: () => number): void {
    this.#isHanded = false;
    if (this.#isTooSlow) {
      throw watcherTooSlow(lastSeq());
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    if (this.#isHanded && this.#subscription.hasNews) {
      this.#isTooSlow = true;
      this.#subscription[Symbol.dispose]();
    } else {
      this.#timer.refresh();
    }
  }
}
