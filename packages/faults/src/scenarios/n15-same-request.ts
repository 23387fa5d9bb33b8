import { setTimeout as delay } from 'node:timers/promises';
import type { RecordedClient } from '../clients/recorded-client.ts';
import type { RunScript } from '../provider/run-script.ts';
import { newSession } from './load.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { mixedTurns, scriptOf } from './scripts.ts';

/** How often each request is made. */
const times = 50;
const uid = 'alice';

/** The same request 50 times at once at two replicas, which are killed meanwhile: one run. */
export const sameRequest: Scenario = {
  name: 'N15',
  title: 'the same request 50 times at two replicas, with kills',
  defaultRuns: 20,
  minCompleted: 0.9,
  async play(context) {
    const { sizes, nemesis, cluster, random, faults, outcome } = context;
    const over = new AbortController();
    const harassing = nemesis.harass([500, 1500], over.signal, async () => {
      const replica = random.pick(cluster.of('session'));
      if (cluster.of('session').every(({ isReady }) => isReady)) {
        nemesis.kill(replica);
      }
    });
    const clients = [0, 1].map((replica) => context.client(uid, replica));
    for (let index = 0; index < sizes.runs; index += 1) {
      await requestManyTimes(context, clients);
    }
    over.abort();
    await harassing;
    outcome.expect(faults.count('kill', 'session') > 0, 'no replica was killed');
  },
};

async function requestManyTimes(context: ScenarioContext, clients: readonly RecordedClient[]): Promise<void> {
  const { outcome, random } = context;
  const sessionId = await newSession(random.pick(clients));
  const script = scriptOf(random, outcome.nextNumber(), mixedTurns(random));
  outcome.meant.add(script.id);
  await Promise.all(
    Array.from({ length: times }, async (_, index) => {
      const client = clients[index % clients.length];
      await delay(random.between(0, 300));
      if (client !== undefined) {
        await startRun(client, sessionId, script);
      }
    }),
  );
}

async function startRun(client: RecordedClient, sessionId: string, script: RunScript): Promise<void> {
  const input = [{ parts: [{ part: { case: 'text' as const, value: JSON.stringify(script) } }] }];
  const { run } = await client.insist('StartRun', (sessions, options) =>
    sessions.startRun({ sessionId, requestId: script.id, input }, options),
  );
  client.history.add({ kind: 'started', client: client.name, sessionId, requestId: script.id, runId: run?.id ?? '' });
}
