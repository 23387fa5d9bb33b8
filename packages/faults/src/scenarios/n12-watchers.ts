import { setTimeout as delay } from 'node:timers/promises';
import { Watcher } from '../clients/watcher.ts';
import { residentMiB } from '../evidence/process-resources.ts';
import { spreadOf } from '../figures/percentiles.ts';
import type { ProviderLog } from '../provider/provider-log.ts';
import type { Random } from '../random.ts';
import { beginRun, newSession } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { scriptOf, textFor } from './scripts.ts';

/** Sessions that are watched, each by its share of the watchers. */
const sessions = 4;
const uid = 'alice';

/** Many watchers, half of them at the other replica; some are frozen, some come and go; the rest must not notice. */
export const manyWatchers: Scenario = {
  name: 'N12',
  title: '200 watchers, a tenth frozen, a quarter reconnecting, half at the other replica',
  defaultRuns: 200,
  minCompleted: 0.9,
  async play(context) {
    const { sizes, outcome } = context;
    const crowd = new Crowd(context, sizes.runs);
    await crowd.begin();
    // The first round warms up: memory that it takes is taken once.
    await crowd.measureRound();
    const calm = await measured(context, crowd);
    crowd.stall();
    const stalled = await measured(context, crowd);
    crowd.goOn();
    outcome.watcherCost = {
      stalled: crowd.stalled,
      othersP99MsBefore: calm.p99Ms,
      othersP99Ms: stalled.p99Ms,
      memoryMiB: stalled.grownMiB - Math.max(0, calm.grownMiB),
    };
    context.say(`lag p99 ${calm.p99Ms.toFixed(0)} ms, with ${crowd.stalled} frozen ${stalled.p99Ms.toFixed(0)} ms`);
    context.whenSettled(() => crowd.finish());
  },
};

async function measured(context: ScenarioContext, crowd: Crowd) {
  const beforeMiB = memoryOf(context);
  const p99Ms = await crowd.measureRound();
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
      const client = this.#context.client(uid, index % 2);
      // A tenth can be frozen, a quarter comes and goes.
      const isFrozen = index < this.stalled;
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
    const { provider, outcome } = this.#context;
    this.#lags.length = 0;
    const runs = this.#sessionIds.map((sessionId) => {
      const script = scriptOf(this.#random, outcome.nextNumber(), [{ ...textFor(4000), delayMs: 20 }]);
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
    return spreadOf(this.#lags)?.p99 ?? Number.NaN;
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

  #note(sessionId: string, bytes: number): void {
    const sent = this.#sent.get(sessionId)?.find((each) => each.bytes >= bytes);
    if (sent !== undefined) {
      this.#lags.push(performance.now() - sent.monotonicMs);
    }
  }
}
