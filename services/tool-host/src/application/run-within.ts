import { callIsOver, toolTimedOut } from '../domain/tool/tool-errors.ts';

/**
 * Runs something for at most `limitMs`. Throws DEADLINE_EXCEEDED when the time is up and the reason of `signal` when that
 * aborts, at once, whether the work listens to its own signal or not. That signal is aborted in any case at the end, so
 * that nothing of the work goes on.
 */
export async function runWithin<Result>(
  limitMs: number,
  work: (signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  signal.throwIfAborted();
  if (limitMs <= 0) {
    throw toolTimedOut(0);
  }
  const stop = new AbortController();
  const stopped = new Promise<never>((_, reject) => {
    stop.signal.addEventListener('abort', () => reject(stop.signal.reason), { once: true });
  });
  const follow = () => stop.abort(signal.reason);
  signal.addEventListener('abort', follow, { once: true });
  const timer = setTimeout(() => stop.abort(toolTimedOut(limitMs)), limitMs);
  try {
    return await Promise.race([stopped, (async () => work(stop.signal))()]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', follow);
    stop.abort(callIsOver());
  }
}
