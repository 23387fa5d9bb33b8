import { setTimeout as delay } from 'node:timers/promises';
import type { RecordedClient } from '../clients/recorded-client.ts';
import type { Random } from '../random.ts';
import { cancelBy } from './cancels.ts';
import { sawOrDone } from './executors.ts';
import { type LoadRun, runLoad } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { textFor } from './scripts.ts';

/** Every run is cancelled at a random instant of its course, before its first word and at its very end included. */
export const randomCancels: Scenario = {
  name: 'N7',
  title: 'cancel at a random instant',
  defaultRuns: 1000,
  minCompleted: 0.9,
  goals: () => ({ cancel: { p50: 50, p99: 250, max: 1000 } }),
  async play(context) {
    const { sizes, outcome, history } = context;
    const turns = (random: Random) => [
      { ...textFor(200), tools: [{ name: random.pick(['slow', 'effect', 'effect_read']), arguments: { ms: 300 } }] },
      textFor(200),
    ];
    using callers = new Callers(context);
    const during = (run: LoadRun, random: Random) => cancelSometime(callers, run, random);
    // As many as the machine has room for: what is measured is the cancel, not how long it waits for a processor.
    await runLoad(context, { runs: sizes.runs, concurrency: 3, turns, during, isMeantToComplete: () => false });
    const accepted = history.entries.filter((entry) => entry.kind === 'cancelled' && entry.isAccepted).length;
    outcome.expect(accepted > sizes.runs / 3, `only ${accepted} cancels of ${sizes.runs} were accepted`);
  },
};

async function cancelSometime(callers: Callers, run: LoadRun, random: Random): Promise<void> {
  const runId = await run.runId;
  if (random.chance(0.3)) {
    // Where completion is being decided.
    await sawOrDone(run, 'textEnd', 2);
    await delay(random.between(0, 10));
  } else {
    await delay(random.between(0, 900));
  }
  const caller = callers.of(run.client.uid, random.between(0, 1));
  await cancelBy(caller, run.sessionId, runId, random.chance(0.3));
}

/** Who cancels: a service that keeps its connections to both replicas, as services do. */
class Callers implements Disposable {
  readonly #context: ScenarioContext;
  readonly #clients = new Map<string, RecordedClient>();

  constructor(context: ScenarioContext) {
    this.#context = context;
  }

  of(uid: string, replica: number): RecordedClient {
    const key = `${uid} ${replica}`;
    const client = this.#clients.get(key) ?? this.#context.client(uid, replica);
    this.#clients.set(key, client);
    return client;
  }

  [Symbol.dispose](): void {
    this.#clients.forEach((client) => client[Symbol.dispose]());
  }
}
