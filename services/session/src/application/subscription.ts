import type { LivePosition, Published } from './published.ts';

/** Events that wait for one watcher at most; beyond, they are dropped and it is caught up from the log. */
const maxWaiting = 1024;

/** What a watcher finds when it looks. */
export type Taken =
  | { readonly kind: 'events'; readonly entries: readonly Published[] }
  /** Events were dropped, or the log grew elsewhere: read it. */
  | { readonly kind: 'behind' }
  | { readonly kind: 'silence' }
  | { readonly kind: 'aborted' };

/** A watcher's end of the hub: a bounded queue that the driver never waits for. */
export class Subscription implements Disposable {
  readonly #position: () => LivePosition | undefined;
  readonly #end: () => void;
  #queue: Published[] = [];
  #isBehind = false;
  #toldSeq = 0;
  #readSeq = 0;
  #settle: ((why: 'woken' | 'silence') => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.#wake();

  constructor(position: () => LivePosition | undefined, end: () => void) {
    this.#position = position;
    this.#end = end;
  }

  /**
   * Begins anew: forgets what waits and answers, in the same step, where the session stands when it is driven here.
   * What is shown from now on waits in the queue.
   */
  restart(): LivePosition | undefined {
    this.#queue = [];
    this.#isBehind = false;
    // The watcher reads on now: as far as the driver has shown, or to the end of the log. What it was told before may be
    // committed and not shown yet; looking for that again and again would keep the driver from showing it.
    this.#toldSeq = 0;
    return this.#position();
  }

  /** Whether something was shown since the last restart. */
  get hasWaiting(): boolean {
    return this.#isBehind || this.#queue.length > 0;
  }

  /** The watcher has read the log up to here. */
  hasRead(seq: number): void {
    this.#readSeq = Math.max(this.#readSeq, seq);
  }

  push(entries: readonly Published[]): void {
    if (this.#queue.length > 0 && this.#queue.length + entries.length > maxWaiting) {
      this.#queue = [];
      this.#isBehind = true;
    } else if (!this.#isBehind) {
      this.#queue.push(...entries);
    }
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
    const isSilent = this.#peek() === undefined && (await this.#wait(silenceMs, signal)) === 'silence';
    const found = this.#peek();
    if (found?.kind === 'events') {
      this.#queue = [];
    }
    return found ?? (signal.aborted ? { kind: 'aborted' } : { kind: isSilent ? 'silence' : 'behind' });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#end();
  }

  #peek(): Taken | undefined {
    if (this.#isBehind) {
      return { kind: 'behind' };
    }
    if (this.#queue.length > 0) {
      return { kind: 'events', entries: this.#queue };
    }
    return this.#toldSeq > this.#readSeq ? { kind: 'behind' } : undefined;
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
