import { DomainError } from '@spanwise/kernel';
import { runtimeUnavailable } from '../domain/run/run-errors.ts';
import type { DriveSignals } from './drive-signals.ts';
import type { AgentRuntime, Dispatch, Execution, ExecutorEnd } from './ports/agent-runtime.ts';
import type { RunWriter } from './run-writer.ts';

/** Why a stream that has told everything is closed. */
const isOver = 'over';
/** How long an executor may take to end after it was asked to. */
export const stopMs = 5_000;

/** How one dispatch ended. */
export type AttemptEnd =
  | { readonly kind: 'finished'; readonly end: ExecutorEnd }
  /** Its calls wait for interrupts. */
  | { readonly kind: 'waiting' }
  /** The executor let go of it in good order. */
  | { readonly kind: 'detached' }
  /** It was asked to stop, and did not say in time that it has. */
  | { readonly kind: 'silent' }
  /** The executor is gone, or was never there. */
  | { readonly kind: 'lost'; readonly wasReached: boolean; readonly error: DomainError }
  /** It refused the run, or failed in a way that another dispatch would as well. */
  | { readonly kind: 'failed'; readonly error: DomainError };

/**
 * One dispatch of a run: calls the executor, stores and shows what it says in order, and acknowledges its checkpoints.
 * Throws only when nothing can be stored any more. Guards: checkpointBehindStream.
 */
export async function attemptRun(
  runtime: AgentRuntime,
  dispatch: Dispatch,
  writer: RunWriter,
  signals: DriveSignals & { readonly expired: AbortSignal },
): Promise<AttemptEnd> {
  // Whoever consumes a stream ends it: breaking out of the loop alone would leave the executor at work.
  const done = new AbortController();
  const limit = new Limit(done);
  const stream = AbortSignal.any([signals.lost, done.signal]);
  const execution = runtime.execute(dispatch, stream);
  const progress = { wasReached: false };
  const stop = (reason: string) => () => {
    execution.abort(reason);
    limit.set(stopMs);
  };
  const leave = () => {
    const graceMs = signals.leaveGraceMs();
    execution.detach(graceMs);
    limit.set(graceMs + stopMs);
  };
  using _listening = listen([
    [signals.cancel, stop('cancelled')],
    [signals.expired, stop('out of time')],
    [signals.leave, leave],
  ]);
  try {
    return await relay(execution, writer, signals.cancel, progress);
  } catch (error) {
    signals.lost.throwIfAborted();
    if (limit.isReached) {
      return { kind: 'silent' };
    }
    const failure = error instanceof DomainError ? error : runtimeUnavailable(error);
    const isLost = failure.kind === 'unavailable' || failure.kind === 'aborted';
    return isLost ? { kind: 'lost', ...progress, error: failure } : { kind: 'failed', error: failure };
  } finally {
    limit.clear();
    // Without a reason it would make an exception with a stack, for nobody.
    done.abort(isOver);
  }
}

async function relay(
  execution: Execution,
  writer: RunWriter,
  cancel: AbortSignal,
  progress: { wasReached: boolean },
): Promise<AttemptEnd> {
  for await (const frame of execution.frames) {
    progress.wasReached = true;
    switch (frame.kind) {
      case 'events':
        writer.write(frame.events);
        await writer.room();
        break;
      case 'checkpoint':
        writer.writeContext(frame.contextRows, frame.spec);
        writer.write(frame.events);
        // Not awaited: what the executor says meanwhile is taken in order. A failure ends the stream through the writer.
        writer.committed().then(
          () => execution.acknowledge(frame.index, cancel.aborted),
          () => undefined,
        );
        break;
      case 'finish':
        return { kind: 'finished', end: frame.end };
      case 'yield':
        return { kind: frame.reason };
    }
  }
  throw runtimeUnavailable('the stream ended without a finish');
}

/** Breaks a stream off when its other end does not react. */
class Limit {
  isReached = false;
  readonly #stream: AbortController;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: AbortController) {
    this.#stream = stream;
  }

  set(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.isReached = true;
      this.#stream.abort(isOver);
    }, ms);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

/** Calls each as soon as its signal is aborted, also when it was before. */
function listen(pairs: readonly (readonly [AbortSignal, () => void])[]): Disposable {
  for (const [signal, react] of pairs) {
    if (signal.aborted) {
      react();
    } else {
      signal.addEventListener('abort', react, { once: true });
    }
  }
  return {
    [Symbol.dispose]: () => pairs.forEach(([signal, react]) => signal.removeEventListener('abort', react)),
  };
}
