/** The longest pause while a task keeps failing. */
const maxPauseMs = 5_000;

/**
 * Repeats a task with a pause between its end and its next start, longer while it fails, and never quite the same, so that
 * replicas do not do it all at once. Answers what stops it.
 */
export function repeat(
  pauseMs: number,
  onError: (error: unknown) => void,
  task: () => Promise<void>,
): () => Promise<void> {
  let timer: NodeJS.Timeout;
  let running = Promise.resolve();
  let isStopped = false;
  let failures = 0;
  const schedule = () => {
    timer = setTimeout(
      () => {
        running = task()
          .then(
            () => {
              failures = 0;
            },
            (error: unknown) => {
              failures += 1;
              onError(error);
            },
          )
          .then(() => (isStopped ? undefined : schedule()));
      },
      Math.max(pauseMs, Math.min(maxPauseMs, pauseMs * 2 ** failures)) * (1 - Math.random() / 5),
    );
    timer.unref();
  };
  schedule();
  return async () => {
    isStopped = true;
    clearTimeout(timer);
    await running;
  };
}
