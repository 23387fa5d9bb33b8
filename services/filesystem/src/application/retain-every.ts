import type { Retain } from './retain.ts';

/** How long after its start a process throws something away for the first time: restarts have better things to do. */
const firstMs = 300_000;

export interface RetainEveryOptions {
  /** Between the end of one look and the next; 0 = never. */
  readonly everyMs: number;
  /** Default 5 minutes. */
  readonly firstMs?: number;
  readonly onError: (error: unknown) => void;
}

/** Does it now and then, and never quite regularly, so that replicas do not do it all at once. */
export function retainEvery(retain: Pick<Retain, 'execute'>, options: RetainEveryOptions): AsyncDisposable {
  const { everyMs, onError } = options;
  const end = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const schedule = (pauseMs: number) => {
    timer = setTimeout(
      () => {
        running = retain
          .execute(end.signal)
          .then(() => undefined, onError)
          .then(() => (end.signal.aborted ? undefined : schedule(everyMs)));
      },
      pauseMs * (1 - Math.random() / 5),
    );
    timer.unref();
  };
  if (everyMs > 0) {
    schedule(options.firstMs ?? Math.min(firstMs, everyMs));
  }
  return {
    async [Symbol.asyncDispose]() {
      end.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
