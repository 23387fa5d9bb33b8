import { SpanwiseClient } from '@spanwise/client';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Connection, rowsOf, type ToldBlock, transportOf } from './told-log.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const text = fc.string({ unit: fc.constantFrom('a', 'ß', '€', '😀'), minLength: 1, maxLength: 6 });
const blocks: fc.Arbitrary<ToldBlock[]> = fc.array(
  fc.record({ chunks: fc.array(text, { maxLength: 3 }), isLost: fc.boolean() }),
  { minLength: 1, maxLength: 4 },
);
const connections: fc.Arbitrary<Connection[]> = fc.array(
  fc.record({
    replayTo: fc.nat({ max: 12 }),
    slice: fc.integer({ min: 1, max: 4 }),
    shownShare: fc.constantFrom(0, 0.5, 1, 1),
    cutAfter: fc.nat({ max: 12 }),
  }),
  { maxLength: 6 },
);

/** What the SDK tells of a log that is served in a way, to the last event of the log. */
async function watched(
  blocks: readonly ToldBlock[],
  connections: readonly Connection[],
  live: boolean,
  afterSeq: bigint,
) {
  const { transport, cursors } = transportOf(blocks, connections, live);
  const client = new SpanwiseClient({ baseUrl: 'http://none', transport });
  const lastSeq = BigInt(rowsOf(blocks).length);
  const events: AgentEvent[] = [];
  const stop = new AbortController();
  const reading = (async () => {
    for await (const event of client.watch({ sessionId: 'any', live, afterSeq }, { signal: stop.signal })) {
      events.push(event);
      if (event.seq === lastSeq) {
        break;
      }
    }
  })();
  await vi.advanceTimersByTimeAsync(60_000);
  stop.abort();
  await reading;
  return { events, cursors };
}

test('the SDK tells every event and every byte once, wherever its streams break', async () => {
  const property = fc.asyncProperty(blocks, connections, fc.boolean(), fc.nat(), async (...facts) => {
    const [blocks, connections, live, place] = facts;
    const all = rowsOf(blocks);
    // Any place in the log, also inside of a block; what lies before it the caller has from elsewhere.
    const cursor = place % all.length;
    const rows = all.slice(cursor);
    const { events, cursors } = await watched(blocks, connections, live, BigInt(cursor));
    const durable = events.filter(({ seq }) => seq > 0n);
    expect(durable.map(({ seq, data }) => [seq, data.case])).toEqual(rows.map(({ seq, data }) => [seq, data.case]));
    expect(cursors).toEqual(cursors.toSorted((a, b) => a - b));
    for (const [index, { chunks, isLost }] of blocks.entries()) {
      const told = events.flatMap(({ data }) =>
        data.case === 'textDelta' && data.value.blockId === `block-${index}` ? [data.value] : [],
      );
      const before = textBefore(all.slice(0, cursor), `block-${index}`);
      const whole = chunks.join('').slice(before.length);
      const joined = told.map(({ text }) => text).join('');
      // What is lost was shown as far as a stream came.
      expect(isLost ? whole.slice(0, joined.length) : whole).toBe(joined);
      const withText = told.filter(({ text }) => text !== '');
      let have = Buffer.byteLength(before);
      for (const { offset, text } of withText) {
        expect(offset).toBe(BigInt(have));
        have += Buffer.byteLength(text);
      }
    }
  });
  await fc.assert(property, { numRuns: 200, ...seedOf(process.env) });
}, 30_000);

/** The text of a block in these rows. */
function textBefore(rows: readonly AgentEvent[], blockId: string): string {
  return rows
    .map(({ data }) => (data.case === 'textDelta' && data.value.blockId === blockId ? data.value.text : ''))
    .join('');
}

/** Repeats what a failure has printed. */
function seedOf({ FAST_CHECK_SEED: seed }: NodeJS.ProcessEnv): { readonly seed?: number } {
  return seed === undefined ? {} : { seed: Number(seed) };
}
