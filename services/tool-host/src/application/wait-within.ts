/**
 * Waits for something, but only for `limitMs`: answers whether it came. Throws the reason of `signal` when that aborts
 * first. What it waits for is expected not to reject.
 */
export async function waitWithin(limitMs: number, awaited: Promise<unknown>, signal?: AbortSignal): Promise<boolean> {
  signal?.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const { promise: tooLate, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), limitMs);
  try {
    return await Promise.race([awaited.then(() => true), tooLate, aborted]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
