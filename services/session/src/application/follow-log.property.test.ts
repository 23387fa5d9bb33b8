import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { replaced } from '../../tests/doubles/replaced.ts';
import {
  assistantMessage,
  brief,
  callDelta,
  callEnd,
  callStart,
  result,
  spanEnd,
  spanStart,
  textDelta,
  textEnd,
  textStart,
} from '../../tests/doubles/said.ts';
import { TextReader } from '../../tests/doubles/text-reader.ts';
import { Watcher } from '../../tests/doubles/watcher.ts';
import { inMemoryWorld, rowsOf, settled, startedRun } from '../../tests/doubles/world.ts';
import type { AgentEvent, UnplacedEvent } from '../domain/event/agent-event.ts';
import { deltaOf } from '../domain/event/delta.ts';
import { followLog } from './follow-log.ts';

type Step =
  | { readonly kind: 'write'; readonly block: number; readonly text: string }
  | { readonly kind: 'end'; readonly block: number }
  | { readonly kind: 'call'; readonly isAnswered: boolean }
  | { readonly kind: 'span' }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'wait'; readonly turns: number }
  | { readonly kind: 'watch'; readonly cursor: number; readonly live: boolean };

const text = fc.stringMatching(/^[aé語😀"\\]{1,12}$/u);
const block = fc.nat({ max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), block, text }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('write' as const), block, text: text.map((each) => each.repeat(200)) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), block }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('call' as const), isAnswered: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('span' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 300 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), turns: fc.nat({ max: 12 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('watch' as const), cursor: fc.nat({ max: 30 }), live: fc.boolean() }),
  },
);

/** Turns steps into what a well-behaved executor says: blocks are opened before they are written and ended once. */
class Speaker {
  readonly #open = new Map<number, { id: string; length: number }>();
  #made = 0;

  says(each: Step): readonly UnplacedEvent[] {
    switch (each.kind) {
      case 'write':
        return this.#write(each.block, each.text);
      case 'end':
        return this.#end(each.block);
      case 'call': {
        const id = this.#name('call');
        const asked = [
          callStart(id, `m-${id}`),
          callDelta(id, 0, '{"ä"'),
          callDelta(id, 5, ':1}'),
          callEnd(id, '{"ä":1}'),
        ];
        return [...asked, assistantMessage(`m-${id}`), ...(each.isAnswered ? [result(id)] : [])];
      }
      case 'span': {
        const id = this.#name('span');
        return [spanStart(id), spanEnd(id)];
      }
      default:
        return [];
    }
  }

  #write(index: number, said: string): readonly UnplacedEvent[] {
    const open = this.#open.get(index) ?? { id: this.#name('block'), length: 0 };
    const isNew = !this.#open.has(index);
    const delta = textDelta(open.id, open.length, said);
    this.#open.set(index, { id: open.id, length: open.length + Buffer.byteLength(said) });
    return isNew ? [textStart(open.id), delta] : [delta];
  }

  #end(index: number): readonly UnplacedEvent[] {
    const open = this.#open.get(index);
    this.#open.delete(index);
    return open === undefined ? [] : [textEnd(open.id, open.length), assistantMessage(`m-${open.id}`)];
  }

  #name(kind: string): string {
    this.#made += 1;
    return `${kind}-${this.#made}`;
  }
}

async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    await Promise.resolve();
  }
}

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
    executor.lose();
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

/** What stays of an event when its text is left out because it was carried before. */
function withoutText({ seq, data }: AgentEvent): string {
  const delta = deltaOf(data);
  return delta === undefined ? brief({ seq, data }) : `${seq} ${data.case} ${delta.blockId}+${delta.offset}`;
}
