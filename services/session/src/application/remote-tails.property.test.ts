import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { InProcessPeers } from '../../tests/doubles/peers.ts';
import { replaced } from '../../tests/doubles/replaced.ts';
import { driver, replicaOf } from '../../tests/doubles/replica.ts';
import { brief } from '../../tests/doubles/said.ts';
import { type Said, Speaker, sayings, turns, withoutText } from '../../tests/doubles/speaker.ts';
import { TextReader } from '../../tests/doubles/text-reader.ts';
import { Watcher } from '../../tests/doubles/watcher.ts';
import { inMemoryWorld, rowsOf, settled, startedRun } from '../../tests/doubles/world.ts';

import type { AgentEvent } from '../domain/event/agent-event.ts';
import { followLog } from './follow-log.ts';

type Step =
  | Said
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'wait'; readonly turns: number }
  | { readonly kind: 'watch'; readonly cursor: number; readonly live: boolean }
  | { readonly kind: 'reconnect'; readonly toDriver: boolean }
  | { readonly kind: 'cut' }
  | { readonly kind: 'flood'; readonly count: number }
  | { readonly kind: 'lapse'; readonly isOwned: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  ...sayings,
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 300 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), turns: fc.nat({ max: 20 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('watch' as const), cursor: fc.nat({ max: 30 }), live: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reconnect' as const), toDriver: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flood' as const), count: fc.integer({ min: 1, max: 400 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lapse' as const), isOwned: fc.boolean() }) },
);

const logPollMs = 100;

/** A client, over all the streams that it had one after the other. */
class Client {
  readonly afterSeq: number;
  readonly live: boolean;
  readonly #streams: Watcher[] = [];

  constructor(afterSeq: number, live: boolean) {
    this.afterSeq = afterSeq;
    this.live = live;
  }

  get events(): readonly AgentEvent[] {
    return this.#streams.flatMap(({ events }) => events);
  }

  async connect(open: (facts: { readonly afterSeq: number; readonly live: boolean }) => Watcher): Promise<void> {
    await this.leave();
    const last = this.events.findLast(({ seq }) => seq > 0n);
    this.#streams.push(open({ afterSeq: Number(last?.seq ?? this.afterSeq), live: this.live }));
  }

  async leave(): Promise<void> {
    await this.#streams.at(-1)?.leave();
  }
}

async function play(steps: readonly Step[], commitTurns: number) {
  const world = inMemoryWorld({
    log: (log) =>
      replaced(log, {
        async append(append) {
          await turns(commitTurns);
          await log.append(append);
          // Committed, and not shown yet: another replica finds the rows.
          await turns(commitTurns);
        },
      }),
  });
  const peers = new InProcessPeers();
  peers.hubs.set(driver.address, world.hub);
  const replica = replicaOf(world, peers, logPollMs);
  const { executor, sessionId } = await startedRun(world);
  replica.instances.owners.set(sessionId, driver);
  const speaker = new Speaker();
  const clients: Client[] = [];
  const watchDriver = (facts: { readonly afterSeq: number; readonly live: boolean }) =>
    new Watcher((signal) => followLog(world, { sessionId, endsWithRun: false, ...facts }, signal));
  for (const each of steps) {
    switch (each.kind) {
      case 'pass':
        vi.advanceTimersByTime(each.ms);
        break;
      case 'wait':
        await turns(each.turns);
        break;
      case 'watch': {
        const client = new Client(Math.min(each.cursor, rowsOf(world, sessionId).length), each.live);
        clients.push(client);
        await client.connect((facts) => replica.watch(sessionId, facts));
        break;
      }
      case 'reconnect':
        await clients
          .at(-1)
          ?.connect((facts) => (each.toDriver ? watchDriver(facts) : replica.watch(sessionId, facts)));
        break;
      case 'cut':
        peers.cut();
        break;
      case 'flood':
        for (let n = 0; n < each.count; n += 1) {
          executor.say(...speaker.says({ kind: 'span' }));
        }
        break;
      case 'lapse':
        // The driver is thought to be dead, or is alive again.
        if (each.isOwned) {
          replica.instances.owners.set(sessionId, driver);
        } else {
          replica.instances.owners.delete(sessionId);
        }
        break;
      default:
        executor.say(...speaker.says(each));
    }
  }
  executor.finish();
  for (let n = 0; n < 12; n += 1) {
    await settled();
    vi.advanceTimersByTime(logPollMs);
  }
  await settled();
  await Promise.all(clients.map((client) => client.leave()));
  const tailed = peers.asked.length;
  await replica[Symbol.asyncDispose]();
  return { rows: rowsOf(world, sessionId), clients, tailed };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('every client of another replica gets the table, and the text that is stored, whatever becomes of tail and stream', async () => {
  let tails = 0;
  let liveDeltas = 0;
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 5, maxLength: 80 }),
    fc.nat({ max: 8 }),
    async (steps, commitTurns) => {
      const { rows, clients, tailed } = await play(steps, commitTurns);
      tails += tailed;
      expect(rows.at(-1)?.data.case).toBe('runEnd');
      const stored = new TextReader().apply(rows).texts;
      for (const { events, afterSeq, live } of clients) {
        const durable = events.filter(({ seq }) => seq > 0n);
        const expected = rows.slice(afterSeq);
        expect(durable.map(live ? withoutText : brief)).toEqual(expected.map(live ? withoutText : brief));
        expect(new TextReader().apply(rows.slice(0, afterSeq)).apply(events).texts).toEqual(stored);
        liveDeltas += events.length - durable.length;
      }
    },
  );
  await fc.assert(property, { numRuns: 250 });
  // It is no proof when nothing was tailed.
  expect(tails).toBeGreaterThan(100);
  expect(liveDeltas).toBeGreaterThan(100);
}, 60_000);
