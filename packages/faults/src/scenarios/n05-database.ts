import { setTimeout as delay } from 'node:timers/promises';
import { runLoad } from './load.ts';
import type { Scenario } from './scenario.ts';

/** Kills of the database. */
const kills = 10;

/** The database is frozen for 2, 5 and 20 seconds, and killed ten times. */
export const databaseFaults: Scenario = {
  name: 'N5',
  title: 'database frozen 2, 5 and 20 s, and killed ten times',
  defaultRuns: 200,
  minCompleted: 0.9,
  async play(context) {
    const { nemesis, random, sizes, faults, outcome } = context;
    // Fewer runs end sooner: then fewer faults fit.
    const isShort = sizes.runs < 100;
    const load = runLoad(context, { runs: sizes.runs, concurrency: 12 });
    for (const seconds of isShort ? [2] : [2, 5, 20]) {
      await delay(1500);
      await nemesis.freezeDatabase(seconds * 1000);
    }
    for (let kill = 0; kill < (isShort ? 2 : kills); kill += 1) {
      await delay(random.between(1000, 3000));
      await nemesis.killDatabase(random.between(100, 1500));
    }
    await load;
    outcome.expect(
      faults.count('database-freeze') > 0 && faults.count('database-kill') > 0,
      'no fault of the database',
    );
  },
};
