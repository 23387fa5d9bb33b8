import type { Clock } from '@spanwise/kernel';
import { modelUnavailable, streamIncomplete } from '../domain/model/model-errors.ts';
import type { ModelPart } from '../domain/model/model-part.ts';
import type { Timers } from './ports/timers.ts';
import { untilAborted } from './until-aborted.ts';

/** How long a model may be silent. */
export interface StallLimits {
  /** Until its first part: 60 s, because large prompts and reasoning take their time. */
  readonly firstPartMs: number;
  /** Between two parts: 30 s. */
  readonly nextPartMs: number;
}

export const stallLimits: StallLimits = { firstPartMs: 60_000, nextPartMs: 30_000 };

export interface ReadPartsDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly limits: StallLimits;
}

/** Takes a part. False = enough; a promise = wait for it before the next one is read. */
export type AcceptPart = (part: ModelPart) => boolean | Promise<void>;

/**
 * Reads a model's answer part by part. The connection is closed, and reading ends at once, when the signal is aborted
 * (throws its reason), when the model is silent for too long (MODEL_UNAVAILABLE before the first part, STREAM_INCOMPLETE
 * after it), when it is enough, and when `accept` throws.
 */
export async function readParts(
  open: (signal: AbortSignal) => AsyncIterable<ModelPart>,
  accept: AcceptPart,
  deps: ReadPartsDeps,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const connection = new AbortController();
  const parts = open(connection.signal)[Symbol.asyncIterator]();
  const reader = new PartReader(parts, deps, (reason) => connection.abort(reason));
  const interrupt = () => reader.interrupt(signal.reason);
  signal.addEventListener('abort', interrupt, { once: true });
  let isDone = false;
  try {
    for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
      const taken = accept(next.value);
      if (taken === false) {
        return;
      }
      if (taken !== true) {
        await untilAborted(taken, signal);
      }
    }
    isDone = true;
  } finally {
    reader.stop();
    signal.removeEventListener('abort', interrupt);
    if (!isDone) {
      // Not when it is done: the connection is good for the next call.
      connection.abort(signal.reason);
      parts.return?.().catch(() => undefined);
    }
  }
}

/**
 * Awaits parts that may be overdue, from a source that may not heed its signal. One timer and one listener serve the whole
 * stream: thousands of parts a second must not set one each.
 */
class PartReader {
  readonly #parts: AsyncIterator<ModelPart>;
  readonly #deps: ReadPartsDeps;
  readonly #close: (reason: unknown) => void;
  #limitMs: number;
  /** Since when a part is awaited; undefined while none is. */
  #sinceMs: number | undefined;
  #interrupted: { readonly reason: unknown } | undefined;
  #reject: (reason: unknown) => void = () => undefined;
  #cancelTimer: () => void = () => undefined;

  constructor(parts: AsyncIterator<ModelPart>, deps: ReadPartsDeps, close: (reason: unknown) => void) {
    this.#parts = parts;
    this.#deps = deps;
    this.#close = close;
    this.#limitMs = deps.limits.firstPartMs;
    this.#look(this.#limitMs);
  }

  async next(): Promise<IteratorResult<ModelPart>> {
    this.#sinceMs = this.#deps.clock.monotonicMs();
    const next = await new Promise<IteratorResult<ModelPart>>((resolve, reject) => {
      this.#reject = reject;
      if (this.#interrupted !== undefined) {
        reject(this.#interrupted.reason);
      }
      this.#parts.next().then(resolve, reject);
    });
    this.#sinceMs = undefined;
    const { nextPartMs } = this.#deps.limits;
    if (this.#limitMs !== nextPartMs) {
      this.#limitMs = nextPartMs;
      this.#cancelTimer();
      this.#look(nextPartMs);
    }
    return next;
  }

  /** Ends the wait for a part, now and ever after. */
  interrupt(reason: unknown): void {
    this.#interrupted = { reason };
    this.#reject(reason);
    this.#close(reason);
  }

  stop(): void {
    this.#cancelTimer();
  }

  #look(delayMs: number): void {
    this.#cancelTimer = this.#deps.timers.after(delayMs, () => {
      const { clock, limits } = this.#deps;
      const silentMs = this.#sinceMs === undefined ? 0 : clock.monotonicMs() - this.#sinceMs;
      if (silentMs < this.#limitMs) {
        this.#look(this.#limitMs - silentMs);
      } else if (this.#limitMs === limits.firstPartMs) {
        this.interrupt(modelUnavailable(`it said nothing for ${limits.firstPartMs / 1000} seconds`));
      } else {
        this.interrupt(streamIncomplete(`nothing came for ${limits.nextPartMs / 1000} seconds`));
      }
    });
  }
}
