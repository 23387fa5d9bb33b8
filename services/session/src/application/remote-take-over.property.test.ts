import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { InProcessPeers } from '../../tests/doubles/peers.ts';
import { driver, replicaOf } from '../../tests/doubles/replica.ts';
import { attempt, durable } from '../../tests/doubles/said.ts';
import { type Said, Speaker, sayings, turns, withoutText } from '../../tests/doubles/speaker.ts';
import { TextReader } from '../../tests/doubles/text-reader.ts';
import type { Watcher } from '../../tests/doubles/watcher.ts';
import { claimSilently, inMemoryWorld, rowsOf, settled, startedRun, type World } from '../../tests/doubles/world.ts';
import { runOutcome, type UnplacedEvent } from '../domain/event/agent-event.ts';
import type { StartedRun } from '../domain/run/run-repository.ts';
import { RunWriter } from './run-writer.ts';
import { SessionHub } from './session-hub.ts';

type Step =
  | Said
  | { readonly kind: 'zombie'; readonly said: Said }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'wait'; readonly turns: number }
  | { readonly kind: 'watch' }
  | { readonly kind: 'take-over' }
  | { readonly kind: 'learn' };

const saying = fc.oneof(...sayings);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: saying },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('zombie' as const), said: saying }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 300 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), turns: fc.nat({ max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('watch' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('take-over' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('learn' as const) }) },
);
const logPollMs = 100;

/** Drives a run that was taken over, on a replica of its own. */
function driverOf(world: World, hub: SessionHub, { run, lastSeq, lastContextSeq }: StartedRun) {
  const { id: runId, sessionId, epoch } = run;
  const publisher = hub.open(sessionId, lastSeq);
  const writer = new RunWriter(
    {
      log: world.log,
      publisher,
      clock: world.clock,
      onSpanClosed: () => undefined,
      onFailure: () => publisher.handOff(),
    },
    { sessionId, runId, epoch, lastSeq, lastContextSeq },
  );
  writer.write([attempt(epoch)]);
  return writer;
}

async function play(steps: readonly Step[]) {
  const world = inMemoryWorld();
  const peers = new InProcessPeers();
  peers.hubs.set(driver.address, world.hub);
  const replica = replicaOf(world, peers, logPollMs);
  const { executor, sessionId } = await startedRun(world);
  replica.instances.owners.set(sessionId, driver);
  const watchers: Watcher[] = [];
  let drivers = 1;
  let owner = driver;
  let speaker = new Speaker();
  let write = (events: readonly UnplacedEvent[]) => executor.say(...events);
  let zombie: { readonly speaker: Speaker; readonly write: typeof write } | undefined;
  const takeOver = async () => {
    drivers += 1;
    const id = `driver-${drivers}`;
    const claimed = await claimSilently(world, id);
    if (claimed === undefined) {
      return;
    }
    owner = { id, address: `http://${id}` };
    const hub = new SessionHub();
    peers.hubs.set(owner.address, hub);
    const writer = driverOf(world, hub, claimed);
    zombie = { speaker, write };
    speaker = new Speaker(`${id}-`);
    write = (events) => writer.write(events);
  };
  for (const each of steps) {
    switch (each.kind) {
      case 'zombie':
        zombie?.write(zombie.speaker.says(each.said));
        break;
      case 'pass':
        vi.advanceTimersByTime(each.ms);
        break;
      case 'wait':
        await turns(each.turns);
        break;
      case 'watch':
        watchers.push(replica.watch(sessionId));
        break;
      case 'take-over':
        await takeOver();
        break;
      case 'learn':
        replica.instances.owners.set(sessionId, owner);
        break;
      default:
        write(speaker.says(each));
    }
  }
  await takeOver();
  replica.instances.owners.set(sessionId, owner);
  write(speaker.says({ kind: 'write', block: 0, text: 'the last' }));
  write(speaker.says({ kind: 'end', block: 0 }));
  write([durable({ case: 'runEnd', value: { outcome: runOutcome.completed, finishReason: 1 } })]);
  for (let n = 0; n < 12; n += 1) {
    await settled();
    vi.advanceTimersByTime(logPollMs);
  }
  await settled();
  await Promise.all(watchers.map((watcher) => watcher.leave()));
  await replica[Symbol.asyncDispose]();
  return { rows: rowsOf(world, sessionId), watchers };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a watcher of a run that is taken over again and again gets the table, and the text of what was completed', async () => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 80 }), async (steps) => {
    const { rows, watchers } = await play(steps);
    expect(rows.at(-1)?.data.case).toBe('runEnd');
    // What a driver that had lost the run has still shown of other blocks was never stored, and is abandoned.
    const completed = new Set(rows.flatMap(({ data }) => (data.case === 'textEnd' ? [data.value.blockId] : [])));
    const textsOf = (reader: TextReader) =>
      Object.fromEntries(Object.entries(reader.texts).filter(([blockId]) => completed.has(blockId)));
    const stored = textsOf(new TextReader().apply(rows));
    for (const { events } of watchers) {
      expect(events.filter(({ seq }) => seq > 0n).map(withoutText)).toEqual(rows.map(withoutText));
      expect(textsOf(new TextReader().apply(events))).toEqual(stored);
      let epoch = 0n;
      for (const event of events) {
        expect(event.epoch).toBeGreaterThanOrEqual(epoch);
        epoch = event.epoch;
      }
    }
  });
  await fc.assert(property, { numRuns: 200 });
}, 60_000);
