import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { gate, runId, writerOn } from '../../tests/doubles/run-writers.ts';
import {
  assistantMessage,
  brief,
  contextRow,
  spanEnd,
  textDelta,
  textEnd,
  textStart,
} from '../../tests/doubles/said.ts';
import { settled } from '../../tests/doubles/world.ts';
import { role } from '../domain/event/agent-event.ts';
import { fenced } from '../domain/event/event-errors.ts';

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

describe('what is left for the transaction that ends the run', () => {
  test('are the events that no append has taken', async () => {
    const gated = gate();
    const { writer, stored, shown } = writerOn(gated.pass);
    writer.write([textStart('b')]);
    await lingered();
    writer.write([textDelta('b', 0, 'rest'), textEnd('b', 4)]);
    writer.stop();
    const isSettled = vi.fn<() => void>();
    const settling = writer.settled().then(isSettled);
    await settled();
    expect(isSettled).not.toHaveBeenCalled();
    await gated.open();
    await settling;
    await lingered();
    expect(stored()).toEqual(['11 textStart']);
    const last = writer.endLast(writer.beginLast(), [spanEnd('00000000000000a1')]);
    const rest = ['12 textDelta b+0 rest', '13 textEnd', '14 spanEnd'];
    expect(last.append.events.map(brief)).toEqual(rest);
    expect(last.append.position).toMatchObject({ lastSeq: 11 });
    expect(shown()).toEqual(['11 textStart']);
    last.show();
    expect(shown()).toEqual(['11 textStart', 'live textDelta b+0 rest', ...rest]);
  });

  test('is not the dialogue, which is complete before it is decided how the run ends', async () => {
    const { writer, appends } = writerOn();
    writer.writeContext([contextRow('a', runId, role.assistant)]);
    writer.write([assistantMessage('a')]);
    writer.stop();
    await writer.settled();
    expect(appends.map(({ contextRows }) => contextRows.length)).toEqual([1]);
    expect(writer.beginLast().durable).toEqual([]);
  });

  test('is nothing once the log has refused an append', async () => {
    const { writer } = writerOn(() => Promise.reject(fenced()));
    writer.write([textStart('b')]);
    await lingered();
    writer.stop();
    await expect(writer.settled()).rejects.toEqual(fenced());
  });
});
