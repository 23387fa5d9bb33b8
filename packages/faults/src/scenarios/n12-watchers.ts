import { setTimeout as delay } from 'node:timers/promises';
import { Watcher } from '../clients/watcher.ts';
import { residentMiB } from '../evidence/process-resources.ts';
import { spreadOf } from '../figures/percentiles.ts';
import type { ProviderLog } from '../provider/provider-log.ts';
import type { ScriptedTurn } from '../provider/run-script.ts';
import type { Random } from '../random.ts';
import { beginRun, newSession } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { scriptOf, textFor } from './scripts.ts';

/** Sessions that are watched, each by its share of the watchers. */
const sessions = 4;
/** More than the connection and the queue of a watcher hold together, in a few seconds. */
const flood: ScriptedTurn = { text: 900_000, deltaLength: 2000, delayMs: 10 };
/** For those who read slowly to have got the flood. */
const calmMs = 2000;
const uid = 'alice';

/**
 * Many watchers, half of them at the other replica; some are frozen, some come and go; the rest must not notice. Before
 * each measure so much is said in the session of the frozen ones that what waits for them is dropped: they read it from
 * the log in the end.
 */
export const manyWatchers: Scenario = {
  name: 'N12',
  title: '200 watchers, a tenth frozen, a quarter reconnecting, half at the other replica',
  defaultRuns: 200,
  minCompleted: 0.9,
  async play(context) {
    const { sizes, outcome, cluster } = context;
    const crowd = new Crowd(context, sizes.runs);
    await crowd.begin();
    // The first round warms up: memory that it takes is taken once.
    await measured(context, crowd);
    const calm = await measured(context, crowd);
    crowd.stall();
    const stalled = await measured(context, crowd);
    crowd.goOn();
    // On a busy machine they may have been ended as too slow by then. This time they go on at once, and catch up.
    await delay(calmMs);
    crowd.stall();
    await crowd.flood();
    crowd.goOn();
    outcome.watcherCost = {
      stalled: crowd.stalled,
      othersP99MsBefore: calm.p99Ms,
      othersP99Ms: stalled.p99Ms,
      memoryMiB: stalled.grownMiB - Math.max(0, calm.grownMiB),
    };
    context.say(`lag p99 ${calm.p99Ms.toFixed(0)} ms, with ${crowd.stalled} frozen ${stalled.p99Ms.toFixed(0)} ms`);
    context.whenSettled(async () => {
      await crowd.finish();
      outcome.expect(cluster.logCounts().catchUps > 0, 'no watcher had to catch up from the log');
    });
  },
};

async function measured(context: ScenarioContext, crowd: Crowd) {
  const beforeMiB = memoryOf(context);
  await crowd.flood();
  await delay(calmMs);
  // The better one of two: what else the machine does is not the watchers' doing.
  const p99Ms = Math.min(await crowd.measureRound(), await crowd.measureRound());
  return { p99Ms, grownMiB: memoryOf(context) - beforeMiB };
}

function memoryOf({ cluster }: ScenarioContext): number {
  return cluster.of('session').reduce((sum, { pid }) => sum + residentMiB(pid), 0);
}

class Crowd {
  readonly stalled: number;
  readonly #context: ScenarioContext;
  readonly #size: number;
  readonly #random: Random;
  readonly #watchers: Watcher[] = [];
  readonly #lags: number[] = [];
  readonly #sent = new Map<string, ProviderLog['answers'][number]['sent']>();
  #sessionIds: readonly string[] = [];
  #freeze: PromiseWithResolvers<void> | undefined;

  constructor(context: ScenarioContext, size: number) {
    this.#context = context;
    this.#size = size;
    this.stalled = Math.floor(size / 10);
    this.#random = context.random.fork('crowd');
  }

  async begin(): Promise<void> {
    const opener = this.#context.client(uid);
    this.#sessionIds = await Promise.all(Array.from({ length: sessions }, () => newSession(opener)));
    for (let index = 0; index < this.#size; index += 1) {
      const sessionId = this.#sessionIds[index % sessions] ?? '';
      // Half of the watchers of each session at either replica.
      const client = this.#context.client(uid, Math.floor(index / sessions) % 2);
      // A tenth can be frozen, all in the first session; a quarter comes and goes.
      const isFrozen = index % sessions === 0 && index < this.stalled * sessions;
      const comesAndGoes = !isFrozen && this.#random.chance(0.25);
      this.#watchers.push(
        new Watcher({
          ...{ client, sessionId },
          ...(isFrozen ? { untilReading: () => this.#freeze?.promise ?? Promise.resolve() } : {}),
          ...(comesAndGoes ? { stayMs: () => this.#random.between(200, 2000) } : {}),
          ...(!isFrozen && !comesAndGoes ? { onText: (_: string, bytes: number) => this.#note(sessionId, bytes) } : {}),
        }),
      );
    }
    await delay(1000);
  }

  /** A run in each session; the p99 of how late the watchers who neither freeze nor leave have its text. */
  async measureRound(): Promise<number> {
    this.#lags.length = 0;
    await this.#playRound({ ...textFor(2000), delayMs: 20 }, this.#sessionIds);
    return spreadOf(this.#lags)?.p99 ?? Number.NaN;
  }

  /** More in the first session than those who do not read can be kept waiting for. */
  async flood(): Promise<void> {
    await this.#playRound(flood, this.#sessionIds.slice(0, 1));
  }

  stall(): void {
    this.#freeze = Promise.withResolvers<void>();
  }

  goOn(): void {
    this.#freeze?.resolve();
    this.#freeze = undefined;
  }

  async finish(): Promise<void> {
    await Promise.all(
      this.#watchers.map(async (watcher) => {
        this.#context.views.push(watcher.view);
        await watcher.finish();
      }),
    );
  }

  /** The same turn in these sessions, to its end. */
  async #playRound(turn: ScriptedTurn, sessionIds: readonly string[]): Promise<void> {
    const { provider, outcome } = this.#context;
    const runs = sessionIds.map((sessionId) => {
      const script = scriptOf(this.#random, outcome.nextNumber(), [turn]);
      outcome.meant.add(script.id);
      const run = beginRun(this.#context, { client: this.#context.client(uid), sessionId, script });
      const poll = setInterval(() => {
        const answer = provider.log.latest(script.id);
        if (answer !== undefined) {
          this.#sent.set(sessionId, answer.sent);
        }
      }, 5);
      return run.done.finally(() => clearInterval(poll));
    });
    await Promise.all(runs);
  }

  #note(sessionId: string, bytes: number): void {
    const sent = this.#sent.get(sessionId)?.find((each) => each.bytes >= bytes);
    if (sent !== undefined) {
      this.#lags.push(performance.now() - sent.monotonicMs);
    }
  }
}
