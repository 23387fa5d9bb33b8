import { setTimeout as delay } from 'node:timers/promises';
import { runLoad } from './load.ts';
import type { Scenario } from './scenario.ts';

/** Kills of the database. */
const kills = 10;

/** Commits whose answer has to be lost: dozens. */
const minLostCommits = 24;

/**
 * The database is frozen for 2, 5 and 20 seconds, and killed ten times. All the time answers to commits are lost: who made
 * them must find out that they were made.
 */
export const databaseFaults: Scenario = {
  name: 'N5',
  title: 'database frozen 2, 5 and 20 s, killed ten times, answers to commits lost',
  defaultRuns: 200,
  minCompleted: 0.9,
  async play(context) {
    const { nemesis, random, sizes, faults, outcome, cluster } = context;
    // Fewer runs end sooner: then fewer faults fit.
    const isShort = sizes.runs < 100;
    const recognisedBefore = cluster.logCounts().ambiguousCommits;
    const over = new AbortController();
    const links = cluster.links.matching(/→database$/);
    const losing = nemesis.harass([50, 250], over.signal, () => nemesis.loseCommit(random.pick(links)));
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
    over.abort();
    await losing;
    const lost = faults.count('lost-commit', 'session');
    const recognised = cluster.logCounts().ambiguousCommits - recognisedBefore;
    outcome.expect(lost >= minLostCommits, `only ${lost} answers to commits of session were lost`);
    outcome.expect(recognised > 0, `no append has recognised itself after ${lost} lost answers`);
    outcome.expect(
      faults.count('database-freeze') > 0 && faults.count('database-kill') > 0,
      'no fault of the database',
    );
  },
};
