import { DomainError } from '@spanwise/kernel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { gate, runId, sessionId, writerOn } from '../../tests/doubles/run-writers.ts';
import {
  assistantMessage,
  brief,
  callDelta,
  callStart,
  contextRow,
  spanEnd,
  spanStart,
  textDelta,
  textEnd,
  textStart,
} from '../../tests/doubles/said.ts';
import { TextReader } from '../../tests/doubles/text-reader.ts';
import { settled } from '../../tests/doubles/world.ts';
import { role, type UnplacedEvent } from '../domain/event/agent-event.ts';
import { fenced } from '../domain/event/event-errors.ts';

const away = () => new DomainError('unavailable', 'DATABASE_UNAVAILABLE', 'away');

/** Durable events may wait a moment for others to be stored with. */
async function lingered(): Promise<void> {
  vi.advanceTimersByTime(20);
  await settled();
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('order', () => {
  test('places events and rows after what the log has, and tells each message its place', async () => {
    const { writer, appends } = writerOn();
    writer.writeContext([contextRow('a', runId, role.assistant), contextRow('t', runId, role.tool)]);
    writer.write([assistantMessage('t'), assistantMessage('a')]);
    await writer.committed();
    const placed = (event: UnplacedEvent, seq: bigint) => ({ ...event, seq, sessionId, runId, epoch: 7n });
    const contextSeq = (event: UnplacedEvent, seq: bigint) => ({
      ...event,
      data: { case: 'message', value: { ...event.data.value, contextSeq: seq } },
    });
    expect(appends).toEqual([
      {
        position: { sessionId, runId, epoch: 7, lastSeq: 10, lastContextSeq: 4 },
        contextRows: [contextRow('a', runId, role.assistant), contextRow('t', runId, role.tool)],
        events: [
          { ...placed(assistantMessage('t'), 11n), ...contextSeq(assistantMessage('t'), 6n) },
          { ...placed(assistantMessage('a'), 12n), ...contextSeq(assistantMessage('a'), 5n) },
        ],
      },
    ]);
  });

  test('shows a durable event only after its commit', async () => {
    const gated = gate();
    const { writer, shown, appends } = writerOn(gated.pass);
    writer.write([textStart('b')]);
    await lingered();
    expect([appends.length, shown()]).toEqual([1, []]);
    await gated.open();
    expect(shown()).toEqual(['11 textStart']);
  });

  test('shows deltas at once, unless a durable event before them waits for its commit', async () => {
    const gated = gate();
    const { writer, shown } = writerOn(gated.pass);
    writer.write([textStart('b')]);
    await lingered();
    await gated.open();
    writer.write([textDelta('b', 0, 'one'), spanStart('00000000000000a1'), textDelta('b', 3, 'two')]);
    writer.write([textDelta('b', 6, 'three')]);
    await settled();
    expect(shown()).toEqual(['11 textStart', 'live textDelta b+0 one']);
    await gated.open();
    expect(shown().slice(2)).toEqual(['12 spanStart', 'live textDelta b+3 two', 'live textDelta b+6 three']);
  });

  test('makes one append of what came while another one was on its way', async () => {
    const gated = gate();
    const { writer, appends } = writerOn(gated.pass);
    writer.write([textStart('a')]);
    await lingered();
    writer.write([textStart('b')]);
    writer.write([textStart('c'), textStart('d')]);
    await gated.open();
    await gated.open();
    expect(appends.map(({ position, events }) => [position.lastSeq, events.length])).toEqual([
      [10, 1],
      [11, 3],
    ]);
  });

  test('never has two appends on their way, and takes at most 1024 items into one', async () => {
    const gated = gate();
    const { writer, appends } = writerOn(gated.pass);
    writer.write(Array.from({ length: 1500 }, () => spanStart('00000000000000a1')));
    await lingered();
    expect(appends.map(({ events }) => events.length)).toEqual([1024]);
    await gated.open();
    expect(appends.map(({ events, position }) => [position.lastSeq, events.length])).toEqual([
      [10, 1024],
      [1034, 476],
    ]);
  });

  test('tells of a closed span once its end is committed', async () => {
    const gated = gate();
    const { writer, closed } = writerOn(gated.pass);
    writer.write([spanStart('00000000000000a1', '', {}, 1000), spanEnd('00000000000000a1', '', 2500)]);
    await lingered();
    expect(closed).toEqual([]);
    await gated.open();
    expect(closed).toMatchObject([{ startMs: 1000, endMs: 2500, end: { status: 1 } }]);
  });
});

describe('chunks', () => {
  test('store the text of a block after 250 ms, shown again without its text', async () => {
    const { writer, stored, entries } = writerOn();
    writer.write([textStart('b'), textDelta('b', 0, 'Grü')]);
    await settled();
    vi.advanceTimersByTime(200);
    writer.write([textDelta('b', 4, 'ße')]);
    await settled();
    expect(stored()).toEqual(['11 textStart']);
    vi.advanceTimersByTime(50);
    await settled();
    expect(stored()).toEqual(['11 textStart', '12 textDelta b+0 Grüße']);
    const last = entries.at(-1);
    expect(last && [brief(last.event), last.elided && brief(last.elided)]).toEqual([
      '12 textDelta b+0 Grüße',
      '12 textDelta b+0 (7)',
    ]);
  });

  test('begin where the last one ended', async () => {
    const { writer, stored } = writerOn();
    writer.write([textStart('b'), textDelta('b', 0, 'é😀')]);
    await settled();
    vi.advanceTimersByTime(250);
    await settled();
    writer.write([textDelta('b', 6, 'x'), callStart('c', 'm'), callDelta('c', 0, '{"ä"')]);
    await settled();
    vi.advanceTimersByTime(250);
    await settled();
    writer.write([textEnd('b', 7)]);
    await writer.committed();
    expect(stored()).toEqual([
      ...[
        '11 textStart',
        '12 textDelta b+0 é😀',
        '13 toolCallStart',
        '14 textDelta b+6 x',
        '15 toolCallDelta c+0 {"ä"',
      ],
      '16 textEnd',
    ]);
  });

  test('are stored as soon as there are 2 KiB of a block, counted in bytes', async () => {
    const { writer, stored } = writerOn();
    writer.write([textStart('b'), textDelta('b', 0, '語'.repeat(682))]);
    await settled();
    expect(stored()).toHaveLength(1);
    writer.write([textDelta('b', 2046, '語')]);
    await settled();
    expect(stored()).toEqual(['11 textStart', `12 textDelta b+0 ${'語'.repeat(683)}`]);
  });

  test('come before the end of their block, in the same append', async () => {
    const { writer, appends } = writerOn();
    writer.write([textStart('b'), textDelta('b', 0, 'all'), textEnd('b', 3)]);
    await writer.committed();
    expect(appends.map(({ events }) => events.map(brief))).toEqual([
      ['11 textStart', '12 textDelta b+0 all', '13 textEnd'],
    ]);
  });

  test('are not stored by time any more once the writer is stopped', async () => {
    const { writer, stored } = writerOn();
    writer.write([textStart('b'), textDelta('b', 0, 'rest')]);
    writer.stop();
    await writer.committed();
    vi.advanceTimersByTime(1000);
    await settled();
    expect(stored()).toEqual(['11 textStart']);
    const ends = writer.blockEndings().map(({ data }) => ({ ...textEnd('b', 4), data }));
    const last = writer.endLast(writer.beginLast(), ends);
    expect(last.append.events.map(brief)).toEqual(['12 textDelta b+0 rest', '13 textEnd']);
  });

  test('have all text of a block whatever its pieces are', async () => {
    const { writer, appends } = writerOn();
    const text = 'aä語😀'.repeat(700);
    writer.write([textStart('b')]);
    let offset = 0;
    for (const piece of text.match(/.{1,7}/gu) ?? []) {
      writer.write([textDelta('b', offset, piece)]);
      offset += Buffer.byteLength(piece);
      vi.advanceTimersByTime(9);
      await Promise.resolve();
    }
    writer.write([textEnd('b', offset)]);
    await writer.committed();
    const events = appends.flatMap((append) => append.events);
    expect(new TextReader().apply(events).texts).toEqual({ b: text });
    expect(events.filter(({ data }) => data.case === 'textDelta').length).toBeGreaterThan(3);
  });
});

describe('a database that is away', () => {
  test('gets the same append again until it answers', async () => {
    let fails = 3;
    const { writer, appends, failures, shown } = writerOn(async () => {
      fails -= 1;
      if (fails >= 0) {
        throw away();
      }
    });
    writer.write([textStart('b')]);
    const committed = writer.committed();
    for (let n = 0; n < 3; n += 1) {
      await settled();
      expect(shown()).toEqual([]);
      vi.advanceTimersByTime(200);
    }
    await committed;
    expect(appends).toHaveLength(4);
    expect(new Set(appends).size).toBe(1);
    expect([shown(), failures]).toEqual([['11 textStart'], []]);
  });

  test('for more than nine seconds is a failure, told once', async () => {
    const { writer, clock, appends, failures } = writerOn(() => Promise.reject(away()));
    writer.write([textStart('b')]);
    const committed = writer.committed();
    committed.catch(() => undefined);
    for (let n = 0; n < 45; n += 1) {
      await settled();
      clock.advance(200);
      vi.advanceTimersByTime(200);
    }
    await settled();
    expect(failures).toEqual([]);
    clock.advance(200);
    vi.advanceTimersByTime(200);
    await settled();
    expect(failures).toEqual([away()]);
    await expect(committed).rejects.toEqual(away());
    const attempts = appends.length;
    writer.write([textEnd('b', 0)]);
    await expect(writer.committed()).rejects.toEqual(away());
    expect([appends.length, failures.length]).toEqual([attempts, 1]);
  });
});

describe('a writer that is fenced', () => {
  test('rejects what waits and shows nothing more', async () => {
    const { writer, appends, failures, shown } = writerOn(() => Promise.reject(fenced()));
    writer.write([textStart('b'), textDelta('b', 0, 'never')]);
    await expect(writer.committed()).rejects.toEqual(fenced());
    writer.write([textDelta('b', 5, 'seen')]);
    await settled();
    vi.advanceTimersByTime(1000);
    await settled();
    expect({ shown: shown(), failures, appends: appends.length }).toEqual({
      shown: [],
      failures: [fenced()],
      appends: 1,
    });
  });
});

test('committed resolves without an append when nothing has to be stored', async () => {
  const { writer, appends } = writerOn();
  await writer.committed();
  expect(appends).toEqual([]);
});
