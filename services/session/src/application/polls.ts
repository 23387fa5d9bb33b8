import type { RunRepository } from '../domain/run/run-repository.ts';
import { repeat } from './repeat.ts';
import type { RunDrivers } from './run-drivers.ts';
import type { TakeOver } from './take-over.ts';

export interface PollDeps {
  readonly runs: RunRepository;
  readonly drivers: RunDrivers;
  readonly takeOver: TakeOver;
  readonly instanceId: () => string;
  /** How often the runs that this process owns are read, with their cancel flags; default 1 s. */
  readonly ownRunsMs: number;
  /** How often runs that nobody drives are looked for; default 2 s. */
  readonly takeOverMs: number;
  /** Told of a poll that failed; the next one tries again. */
  readonly onError: (error: unknown) => void;
}

/** What makes cancels and take-overs work when nothing else brings the news: looking at the database, now and then. */
export function startPolls(deps: PollDeps): AsyncDisposable {
  const { takeOver, onError } = deps;
  const ownRuns = new OwnRuns(deps);
  const stops = [
    repeat(deps.ownRunsMs, onError, () => ownRuns.look()),
    repeat(deps.takeOverMs, onError, () => takeOver.execute()),
  ];
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}

/** The runs that the database says are driven here. */
class OwnRuns {
  readonly #deps: PollDeps;
  /** Those that were not, at the last look: one that was just started or taken is about to be. */
  #unknown = new Set<string>();

  constructor(deps: PollDeps) {
    this.#deps = deps;
  }

  /** Stops those that are to be cancelled, and lets go of those that nobody here knows: their claim's answer was lost. */
  async look(): Promise<void> {
    const { runs, drivers, instanceId } = this.#deps;
    const ownerId = instanceId();
    const unknown = new Set<string>();
    for (const { runId, epoch, isCancelRequested } of await runs.ownedBy(ownerId)) {
      const key = `${runId} ${epoch}`;
      if (!drivers.isDriving(runId)) {
        unknown.add(key);
        if (this.#unknown.has(key)) {
          await runs.release(runId, epoch, ownerId);
        }
      } else if (isCancelRequested) {
        drivers.cancel(runId);
      }
    }
    this.#unknown = unknown;
  }
}
