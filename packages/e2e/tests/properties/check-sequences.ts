import fc from 'fast-check';
import { sequences } from './arbitraries.ts';
import type { Known } from './command.ts';
import { runToEnd } from './run-to-end.ts';
import { CreateSession } from './start-commands.ts';
import type { World } from './world.ts';

export interface SequencesOptions {
  /** Whether the world's stack is killed when it is started again. */
  readonly isKill: boolean;
  readonly maxCommands: number;
  readonly numRuns: number;
  /** Time after which no further sequence is begun. */
  readonly maxMs: number;
}

/** Time for a test of sequences: bounded, unless it is to search longer. */
export const sequencesTimeoutMs = process.env.FAST_CHECK_RUNS === undefined ? 90_000 : 3_600_000;

/**
 * Checks that any sequence of commands does what the reference says. `FAST_CHECK_SEED` repeats what a failure has
 * printed; `FAST_CHECK_RUNS` searches longer.
 */
export async function checkSequences(
  world: World,
  { isKill, maxCommands, numRuns, maxMs }: SequencesOptions,
): Promise<void> {
  const { FAST_CHECK_SEED: seed, FAST_CHECK_RUNS: runs } = process.env;
  const untilMs = performance.now() + (runs === undefined ? maxMs : Number.POSITIVE_INFINITY);
  const property = fc.asyncProperty(sequences(isKill, maxCommands), async (commands) => {
    // Not fast-check's own limit, which leaves the sequence at work that is under way.
    if (performance.now() > untilMs) {
      return;
    }
    const known: Known = { sessions: [] };
    try {
      await new CreateSession().run(known, world);
      await fc.asyncModelRun(() => ({ model: known, real: world }), commands);
      await runToEnd(known, world);
    } finally {
      await world.leave();
    }
  });
  await fc.assert(property, {
    numRuns: runs === undefined ? numRuns : Number(runs),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  });
}
