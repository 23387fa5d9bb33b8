import type { LivePosition, Published } from './published.ts';
import { WaitingEvents } from './waiting-events.ts';

/** What a watcher finds when it looks. */
export type Taken =
  | { readonly kind: 'events'; readonly entries: readonly Published[] }
  /** Events were dropped, the log grew elsewhere, it was handed off, or its session is gone: look anew. */
  | { readonly kind: 'behind' }
  | { readonly kind: 'silence' }
  | { readonly kind: 'aborted' };

/** A stream is to end here and to go on at another replica. */
export interface HandedOff {
  /** How long the client should wait before that; undefined = not at all. */
  readonly retryAfterMs: number | undefined;
}

/** A watcher's end of the hub: a bounded queue that the driver never waits for. */
export class Subscription implements Disposable {
  readonly #position: () => LivePosition | undefined;
  readonly #end: () => void;
  readonly #onCatchUp: () => void;
  readonly #waiting = new WaitingEvents();
  #isBehind = false;
  #hasOverflowed = false;
  #handedOff: HandedOff | undefined;
  #isGone = false;
  #toldSeq = 0;
  #readSeq = 0;
  #settle: ((why: 'woken' | 'silence') => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.#wake();

  /** `onCatchUp` is told when the watcher begins anew because more was shown than its queue holds. */
  constructor(position: () => LivePosition | undefined, end: () => void, onCatchUp: () => void = () => undefined) {
    this.#position = position;
    this.#end = end;
    this.#onCatchUp = onCatchUp;
  }

  /**
   * Begins anew: forgets what waits and answers, in the same step, where the session stands when a driver shows it here.
   * What is shown from now on waits in the queue.
   */
  restart(): LivePosition | undefined {
    this.#waiting.clear();
    this.#isBehind = false;
    if (this.#hasOverflowed) {
      this.#hasOverflowed = false;
      this.#onCatchUp();
    }
    // The watcher reads on now: as far as the driver has shown, or to the end of the log. What it was told before may be
    // committed and not shown yet; looking for that again and again would keep the driver from showing it.
    this.#toldSeq = 0;
    return this.#position();
  }

  /** Whether something was shown since the last restart. */
  get hasWaiting(): boolean {
    return this.#isBehind || !this.#waiting.isEmpty;
  }

  /** Whether the watcher has something to do. */
  get hasNews(): boolean {
    return this.hasWaiting || this.#handedOff !== undefined || this.#isGone || this.#toldSeq > this.#readSeq;
  }

  /** Set once the stream is to end. */
  get handedOff(): HandedOff | undefined {
    return this.#handedOff;
  }

  /** True once the session is deleted and all its runs are over: the stream is to end, after what the log has. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** The watcher has read the log up to here. */
  hasRead(seq: number): void {
    this.#readSeq = Math.max(this.#readSeq, seq);
  }

  /** Shows entries that take `bytes` on the wire. */
  push(entries: readonly Published[], bytes: number): void {
    if (!this.#isBehind) {
      this.#hasOverflowed = !this.#waiting.add(entries, bytes);
      this.#isBehind = this.#hasOverflowed;
    }
    this.#wake();
  }

  /** What waits is not all that there is: the watcher has to begin anew. */
  fallBehind(): void {
    this.#waiting.clear();
    this.#isBehind = true;
    this.#wake();
  }

  /** The stream is to end, after what waits. */
  handOff(retryAfterMs?: number): void {
    this.#handedOff ??= { retryAfterMs };
    this.#wake();
  }

  tellGone(): void {
    this.#isGone = true;
    this.#wake();
  }

  tellLastSeq(lastSeq: number): void {
    this.#toldSeq = Math.max(this.#toldSeq, lastSeq);
    if (this.#toldSeq > this.#readSeq) {
      this.#wake();
    }
  }

  /** Waits for something to show, at most `silenceMs`. */
  async take(silenceMs: number, signal: AbortSignal): Promise<Taken> {
    if (signal.aborted) {
      return { kind: 'aborted' };
    }
    const isSilent = !this.hasNews && (await this.#wait(silenceMs, signal)) === 'silence';
    if (!this.#waiting.isEmpty) {
      return { kind: 'events', entries: this.#waiting.take() };
    }
    if (this.hasNews) {
      return { kind: 'behind' };
    }
    return signal.aborted ? { kind: 'aborted' } : { kind: isSilent ? 'silence' : 'behind' };
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#waiting.clear();
    this.#end();
  }

  /** One timer and one listener for all waits: a stream of deltas waits thousands of times. */
  #wait(silenceMs: number, signal: AbortSignal): Promise<'woken' | 'silence'> {
    if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.#settle?.('silence'), silenceMs);
    } else {
      this.#timer.refresh();
    }
    if (this.#signal !== signal) {
      this.#signal?.removeEventListener('abort', this.#onAbort);
      this.#signal = signal;
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
    return new Promise((resolve) => {
      this.#settle = (why) => {
        this.#settle = undefined;
        resolve(why);
      };
    });
  }

  #wake(): void {
    this.#settle?.('woken');
  }
}
