import type { HeldRuns } from './held-runs.ts';
import type { LeftExecutions } from './left-executions.ts';
import type { Timers } from './ports/timers.ts';

export interface DrainDeps {
  readonly heldRuns: HeldRuns;
  readonly leftExecutions: LeftExecutions;
  readonly timers: Timers;
  /** Time for the turns that go on, in milliseconds. */
  readonly graceMs: number;
}

/** Time for the last frames of the runs that were left: a driver may have stopped to read. */
const yieldMs = 5_000;
/** Time for tool calls that were left: their own limits are about as long. */
const executionsMs = 60_000;

/**
 * Lets go of all runs before the process ends: none is taken any more, each finishes its turn or is left when the time is
 * over, and goes on elsewhere. Then tool calls that were left come to their end, which tool-host keeps.
 */
export class Drain {
  readonly #deps: DrainDeps;

  constructor(deps: DrainDeps) {
    this.#deps = deps;
  }

  /** Resolves when nothing goes on here any more, or when it has taken too long. */
  async execute(): Promise<void> {
    const { heldRuns, leftExecutions, timers, graceMs } = this.#deps;
    heldRuns.close();
    await within(heldRuns.leave(graceMs), graceMs + yieldMs, timers);
    await within(leftExecutions.over(), executionsMs, timers);
  }
}

async function within(promise: Promise<void>, limitMs: number, timers: Timers): Promise<void> {
  const elapsed = Promise.withResolvers<void>();
  const cancel = timers.after(limitMs, elapsed.resolve);
  await Promise.race([promise, elapsed.promise]);
  cancel();
}
