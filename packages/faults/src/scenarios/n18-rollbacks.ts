import { setTimeout as delay } from 'node:timers/promises';
import { BusyPolicy } from '@spanwise/contracts/spanwise/session/v1/session';
import type { RecordedClient } from '../clients/recorded-client.ts';
import { readDatabase } from '../evidence/read-database.ts';
import type { ScriptedTurn } from '../provider/run-script.ts';
import type { Random } from '../random.ts';
import { cancelRun } from './cancels.ts';
import { sawOrDone } from './executors.ts';
import { beginRun, type LoadRun, newSession } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { fileRounds, scriptOf, textFor } from './scripts.ts';

/** What a run is doing when it is to be rolled back. */
const moments = ['streaming', 'in-tool', 'behind-writes', 'cancelled', 'waiting', 'finishing', 'whenever'] as const;
type Moment = (typeof moments)[number];

const uids = ['alice', 'bob', 'carol'] as const;
/** Of a session, the last of which is left alone. */
const runsPerSession = 4;
const concurrency = 5;
/** How long filesystem is cut off at most. */
const maxCutMs = 8000;
/** What stopping tools, fences and a filesystem that is asked again may take besides. */
const stopMs = 8000;

const ask = { name: 'ask_user', arguments: { questions: [{ question: 'Which?' }] } };

/**
 * Each run is rolled back for the next one at a random instant, while processes of all services are killed and filesystem
 * is cut off for a while.
 */
export const rolledBackRuns: Scenario = {
  name: 'N18',
  title: 'runs rolled back at a random instant, with kills of all services and filesystem cut off',
  defaultRuns: 200,
  minCompleted: 0.95,
  goals: ({ takeOverMs }) => ({ rollback: { p50: 1000, max: takeOverMs + maxCutMs + stopMs } }),
  async play(context) {
    const { nemesis, cluster, random, sizes, faults, outcome, signal } = context;
    const over = new AbortController();
    const killing = nemesis.harass([2000, 5000], over.signal, () => nemesis.kill(random.pick(cluster.replicas)));
    const cutting = nemesis.harass([6000, 12_000], over.signal, () => cutOffFilesystem(context));
    let begun = 0;
    const worker = async () => {
      while (begun < sizes.runs && !signal.aborted) {
        const runs = Math.min(runsPerSession, sizes.runs - begun);
        begun += runs;
        await playSession(context, runs);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    over.abort();
    await Promise.all([killing, cutting]);
    outcome.expect(faults.count('kill') > 0, 'no process was killed');
    outcome.expect(sizes.runs < 20 || faults.count('black-hole') > 0, 'filesystem was never cut off');
    context.whenSettled(() => expectRollbacks(context));
  },
};

/** Nothing gets to filesystem or back, and nothing is told of that. */
async function cutOffFilesystem({ nemesis, cluster, random }: ScenarioContext): Promise<void> {
  const ms = random.between(1000, maxCutMs);
  const links = cluster.links.matching(/→filesystem$/);
  await Promise.all(links.map((link) => nemesis.hold(link, ms, 'forth', 'back')));
}

/** Runs one after the other, each in the place of the one before. */
async function playSession(context: ScenarioContext, runs: number): Promise<void> {
  const { outcome } = context;
  const random = context.random.fork(`session-${outcome.nextNumber()}`);
  const client = context.client(random.pick(uids));
  const sessionId = await newSession(client);
  const begin = (moment: Moment | undefined) => beginInPlace(context, { client, sessionId, random }, moment);
  const all: Promise<unknown>[] = [];
  for (let index = 1; index < runs; index += 1) {
    const moment = random.pick(moments);
    const run = begin(moment);
    all.push(run.done);
    await untilMoment(run, moment, random);
    if (moment === 'cancelled') {
      // It is then being published, as cancelled runs are, or ends before the rollback comes.
      const cancelling = cancelRun(context, run);
      cancelling.catch(() => undefined);
      all.push(cancelling);
      await delay(random.between(0, 100));
    }
  }
  const last = begin(undefined);
  outcome.meant.add(last.script.id);
  await Promise.all([...all, last.done]);
}

interface Place {
  readonly client: RecordedClient;
  readonly sessionId: string;
  readonly random: Random;
}

function beginInPlace(context: ScenarioContext, place: Place, moment: Moment | undefined): LoadRun {
  const { client, sessionId, random } = place;
  const script = scriptOf(random, context.outcome.nextNumber(), turnsFor(moment, random));
  client.history.add({ kind: 'rollback', client: client.name, sessionId, requestId: script.id });
  const isThroughSdk = random.chance(0.3);
  return beginRun(context, { client, sessionId, script, isThroughSdk, busyPolicy: BusyPolicy.ROLLBACK });
}

/** Files are read and written, and then there is time for the moment. */
function turnsFor(moment: Moment | undefined, random: Random): readonly ScriptedTurn[] {
  const rounds = fileRounds(random).map((tools) => ({ ...textFor(100), tools }));
  switch (moment) {
    case 'in-tool':
      return [...rounds, { ...textFor(50), tools: [{ name: 'slow', arguments: { ms: 3000 } }] }, textFor(100)];
    case 'waiting':
      return [...rounds, { ...textFor(50), tools: [ask] }, textFor(100)];
    case 'finishing':
    case undefined:
      return [...rounds, textFor(100)];
    default:
      return [...rounds, textFor(2000)];
  }
}

async function untilMoment(run: LoadRun, moment: Moment, random: Random): Promise<void> {
  const { turns } = run.script;
  // One of the user's, then two for each turn before: what is asked for, and its results.
  const lastCalls = 2 * (turns.length - 1);
  switch (moment) {
    case 'streaming':
      return sawOrDone(run, 'textDelta', random.between(1, 60));
    case 'in-tool':
      await sawOrDone(run, 'message', lastCalls);
      return delay(random.between(0, 2500));
    case 'behind-writes':
    case 'cancelled':
      await sawOrDone(run, 'message', lastCalls + 1);
      return delay(random.between(0, 500));
    case 'waiting':
      await sawOrDone(run, 'runWaiting');
      return delay(random.between(0, 500));
    case 'finishing':
      // Where it is being published.
      await sawOrDone(run, 'textEnd', turns.length);
      return delay(random.between(0, 30));
    case 'whenever':
      return delay(random.between(0, 3000));
  }
}

/** Runs were rolled back with files that they had written, and others had been published before. */
async function expectRollbacks({ cluster, outcome, sizes, say }: ScenarioContext): Promise<void> {
  const { events } = await readDatabase(cluster.databaseServerUrl);
  const told = events.flatMap(({ event: { data } }) => (data.case === 'runRolledBack' ? [data.value] : []));
  const withFiles = told.filter(({ fileChanges }) => fileChanges > 0).length;
  const tooLate = told.filter(({ filesPublished }) => filesPublished).length;
  say(`${told.length} runs were rolled back, ${withFiles} of them with files, ${tooLate} too late for theirs`);
  outcome.expect(told.length > sizes.runs / 4, `only ${told.length} runs were rolled back`);
  outcome.expect(sizes.runs < 20 || withFiles > sizes.runs / 10, `only ${withFiles} of them had files`);
  outcome.expect(sizes.runs < 100 || tooLate > 0, 'no rollback came when files were published already');
}
