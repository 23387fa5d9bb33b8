import type { Timers } from './ports/timers.ts';

/** Settles as the promise does, or rejects with the signal's reason as soon as that is aborted. */
export function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    const settle = () => signal.removeEventListener('abort', abort);
    if (signal.aborted) {
      abort();
    }
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(settle);
  });
}

/** Resolves after `delayMs`; rejects with the signal's reason when that is aborted before. */
export async function sleep(timers: Timers, delayMs: number, signal: AbortSignal): Promise<void> {
  const elapsed = Promise.withResolvers<void>();
  const cancel = timers.after(delayMs, elapsed.resolve);
  try {
    await untilAborted(elapsed.promise, signal);
  } finally {
    cancel();
  }
}
