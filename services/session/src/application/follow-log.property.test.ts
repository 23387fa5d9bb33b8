import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { replaced } from '../../tests/doubles/replaced.ts';
import { brief } from '../../tests/doubles/said.ts';
import { type Said, Speaker, sayings, turns, withoutText } from '../../tests/doubles/speaker.ts';
import { TextReader } from '../../tests/doubles/text-reader.ts';
import { Watcher } from '../../tests/doubles/watcher.ts';
import { inMemoryWorld, rowsOf, settled, startedRun } from '../../tests/doubles/world.ts';
import { followLog } from './follow-log.ts';

type Step =
  | Said
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'wait'; readonly turns: number }
  | { readonly kind: 'watch'; readonly cursor: number; readonly live: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  ...sayings,
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 300 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), turns: fc.nat({ max: 12 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('watch' as const), cursor: fc.nat({ max: 30 }), live: fc.boolean() }),
  },
);

async function play(steps: readonly Step[], commitTurns: number, isLost: boolean) {
  const world = inMemoryWorld({
    log: (log) =>
      replaced(log, {
        async append(append) {
          await turns(commitTurns);
          await log.append(append);
          // Committed, and not shown yet: a watcher that comes now finds the rows.
          await turns(commitTurns);
        },
      }),
  });
  const { executor, sessionId } = await startedRun(world);
  const speaker = new Speaker();
  const watchers: { readonly watcher: Watcher; readonly afterSeq: number; readonly live: boolean }[] = [];
  for (const each of steps) {
    if (each.kind === 'pass') {
      vi.advanceTimersByTime(each.ms);
    } else if (each.kind === 'wait') {
      await turns(each.turns);
    } else if (each.kind === 'watch') {
      const afterSeq = Math.min(each.cursor, rowsOf(world, sessionId).length);
      const query = { sessionId, afterSeq, endsWithRun: false, live: each.live };
      watchers.push({ watcher: new Watcher((signal) => followLog(world, query, signal)), afterSeq, live: each.live });
    } else {
      const said = speaker.says(each);
      if (said.length > 0) {
        executor.say(...said);
      }
    }
  }
  if (isLost) {
    executor.fail();
  } else {
    executor.finish();
  }
  await settled();
  await Promise.all(watchers.map(({ watcher }) => watcher.leave()));
  return { rows: rowsOf(world, sessionId), watchers, lost: world.lost };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('every watcher gets the table from its cursor on, and the text that is stored', async () => {
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 1, maxLength: 60 }),
    fc.nat({ max: 8 }),
    fc.boolean(),
    async (steps, commitTurns, isLost) => {
      const { rows, watchers, lost } = await play(steps, commitTurns, isLost);
      expect(lost).toEqual([]);
      expect(rows.map(({ seq }) => Number(seq))).toEqual(rows.map((_, index) => index + 1));
      expect(rows.at(-1)?.data.case).toBe(isLost ? 'runError' : 'runEnd');
      const stored = new TextReader().apply(rows).texts;
      for (const { watcher, afterSeq, live } of watchers) {
        const durable = watcher.events.filter(({ seq }) => seq > 0n);
        const expected = rows.slice(afterSeq);
        expect(durable.map(live ? withoutText : brief)).toEqual(expected.map(live ? withoutText : brief));
        // The caller has what it has read up to its cursor.
        expect(new TextReader().apply(rows.slice(0, afterSeq)).apply(watcher.events).texts).toEqual(stored);
      }
    },
  );
  await fc.assert(property, { numRuns: 250 });
}, 30_000);
