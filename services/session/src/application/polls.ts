import type { EventLog } from '../domain/event/event-log.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import type { RunDrivers } from './run-drivers.ts';
import type { SessionHub } from './session-hub.ts';

export interface PollDeps {
  readonly runs: RunRepository;
  readonly log: EventLog;
  readonly hub: SessionHub;
  readonly drivers: RunDrivers;
  readonly instanceId: string;
  /** Ends the runs that this process lost while the database was away. Asked with every poll of the flags. */
  readonly endLost: () => Promise<void>;
  /** How often the cancel flags of the runs that are driven here are read; default 1 s. */
  readonly cancelPollMs: number;
  /** How often the logs that are watched here and driven elsewhere are looked at; default 250 ms. */
  readonly logPollMs: number;
  /** Told of a poll that failed; the next one tries again. */
  readonly onError: (error: unknown) => void;
}

/** What makes cancels and watchers work when nothing else brings the news: looking at the database, now and then. */
export function startPolls(deps: PollDeps): AsyncDisposable {
  const { runs, log, hub, drivers, instanceId, onError } = deps;
  const cancels = repeat(deps.cancelPollMs, onError, async () => {
    await deps.endLost();
    if (drivers.count > 0) {
      (await runs.cancelRequested(instanceId)).forEach((runId) => drivers.cancel(runId));
    }
  });
  const logs = repeat(deps.logPollMs, onError, async () => {
    const watched = hub.watchedElsewhere();
    if (watched.length > 0) {
      for (const [sessionId, lastSeq] of await log.lastSeqs(watched)) {
        hub.tellLastSeq(sessionId, lastSeq);
      }
    }
  });
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all([cancels(), logs()]);
    },
  };
}

/** The longest pause while a task keeps failing. */
const maxPauseMs = 5_000;

/** Repeats a task with a pause between its end and its next start, longer while it fails. Answers what stops it. */
function repeat(pauseMs: number, onError: (error: unknown) => void, task: () => Promise<void>): () => Promise<void> {
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
      Math.min(maxPauseMs, pauseMs * 2 ** failures),
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
