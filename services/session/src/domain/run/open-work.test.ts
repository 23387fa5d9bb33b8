import { describe, expect, test } from 'vitest';
import {
  abandoned,
  assistantMessage,
  callStart,
  message,
  reasoningStart,
  result,
  resultOf,
  spanEnd,
  spanStart,
  textStart,
} from '../../../tests/doubles/said.ts';
import { role, type UnplacedEvent } from '../event/agent-event.ts';
import { OpenWork } from './open-work.ts';

function after(...events: readonly UnplacedEvent[]): OpenWork {
  const work = new OpenWork();
  events.forEach((event) => work.note(event));
  return work;
}
const unknown = (callId: string) => ({
  isNew: true,
  result: {
    callId,
    outcome: 5,
    content: [
      {
        content: {
          case: 'text',
          value: 'The call was interrupted. It may or may not have had effects: check before doing it again.',
        },
      },
    ],
    structuredJson: '',
    code: '',
  },
});
const known = (callId: string) => ({ isNew: false, result: resultOf(callId, 'done') });
const abandonment = (messageId: string) => ({ data: { case: 'messageAbandoned', value: { messageId, reason: 2 } } });

describe('messages', () => {
  test('that were begun and not completed are to be abandoned, once each', () => {
    const work = after(reasoningStart('r', 'm1'), textStart('t', 'm1'), callStart('c', 'm2'), textStart('u', 'm3'));
    expect(work.abandonments()).toEqual(['m1', 'm2', 'm3'].map((id) => abandonment(id)));
  });

  test('that are complete or abandoned are not', () => {
    const work = after(textStart('a', 'm1'), textStart('b', 'm2'), assistantMessage('m1'), abandoned('m2'));
    expect(work.abandonments()).toEqual([]);
  });
});

describe('calls', () => {
  test('of a message that is not committed need no result', () => {
    expect(after(callStart('c', 'm')).results()).toEqual([]);
  });

  test('of a committed message are answered in call order, as they were or as unknown', () => {
    const calls = [callStart('c1', 'm'), callStart('c2', 'm'), callStart('c3', 'm')];
    const work = after(...calls, assistantMessage('m'), result('c3'), result('c1'));
    expect(work.results()).toEqual([known('c1'), unknown('c2'), known('c3')]);
  });

  test('are closed by the one message that answers all of them', () => {
    const work = after(callStart('c', 'm'), assistantMessage('m'), result('c'), message('t', role.tool));
    expect(work.results()).toEqual([]);
  });

  test('of the next turn are open again', () => {
    const first = [callStart('c', 'm'), assistantMessage('m'), result('c'), message('t', role.tool)];
    const work = after(...first, callStart('d', 'n'), assistantMessage('n'));
    expect(work.results()).toEqual([unknown('d')]);
  });

  test('of an abandoned message are void', () => {
    const work = after(callStart('c', 'm'), abandoned('m'), callStart('d', 'n'), assistantMessage('n'));
    expect(work.results()).toEqual([unknown('d')]);
  });

  test('that nobody made have no result', () => {
    expect(after(result('stranger')).results()).toEqual([]);
  });

  test('are not closed by a message of the user', () => {
    const work = after(callStart('c', 'm'), assistantMessage('m'), message('u', role.user));
    expect(work.results()).toEqual([unknown('c')]);
  });
});

describe('a delegate call', () => {
  const inThread = (event: UnplacedEvent, threadId = 'd'): UnplacedEvent => ({ ...event, threadId });
  const begun = [
    ...[callStart('d', 'm'), callStart('e', 'm'), assistantMessage('m')],
    inThread(message('task', role.user)),
    ...[inThread(callStart('c', 'n')), inThread(assistantMessage('n'))],
  ];

  test('has an open dialogue until it has its result', () => {
    expect(after(...begun).openThreads()).toEqual(['d']);
    expect(after(...begun, result('d')).openThreads()).toEqual([]);
    expect(after(...begun, inThread(result('c')), inThread(message('t', role.tool))).openThreads()).toEqual(['d']);
  });

  test('is not answered by what is answered in its dialogue, nor the other way round', () => {
    const inner = after(...begun, inThread(result('c')), inThread(message('t', role.tool)));
    expect(inner.results()).toEqual([unknown('d'), unknown('e')]);
    const outer = after(...begun, result('d'), result('e'), message('t', role.tool));
    expect(outer.results()).toEqual([{ ...unknown('c'), threadId: 'd' }]);
  });

  test('has the calls of its dialogue answered in that', () => {
    expect(after(...begun).results()).toEqual([unknown('d'), unknown('e'), { ...unknown('c'), threadId: 'd' }]);
  });

  test('has the messages of its dialogue abandoned, and its spans ended, in that', () => {
    const work = after(...begun, inThread(textStart('b', 'o')), inThread(spanStart('1')));
    expect(work.abandonments()).toEqual([{ ...abandonment('o'), threadId: 'd' }]);
    expect(work.openSpans()).toMatchObject([{ span: { id: '1' }, threadId: 'd' }]);
  });

  test('counts the turns of its dialogue with the others', () => {
    expect(after(...begun).turns).toBe(2);
  });
});

describe('spans', () => {
  test('are told with their start and end when they are closed', () => {
    const work = new OpenWork();
    expect(work.note(spanStart('00000000000000a1', '', {}, 1000))).toBeUndefined();
    expect(work.note(spanEnd('00000000000000a1', '', 2500))).toEqual({
      span: { id: '00000000000000a1', par: '' },
      kind: 2,
      name: 'turn 00000000000000a1',
      traceId: 'c'.repeat(32),
      attributes: {},
      service: 'agent-runtime',
      startMs: 1000,
      endMs: 2500,
      end: { status: 1, errorType: '', attributes: {} },
    });
    expect(work.openSpans()).toEqual([]);
  });

  test('that are open are told innermost first', () => {
    const work = after(
      spanStart('1'),
      spanStart('2', '1'),
      spanStart('3', '2'),
      spanEnd('2', '1'),
      spanStart('4', '1'),
    );
    expect(work.openSpans().map(({ span }) => span.id)).toEqual(['4', '3', '1']);
  });

  test('that were never opened close nothing', () => {
    expect(new OpenWork().note(spanEnd('a'))).toBeUndefined();
  });
});

test('may have written once a call was begun, whatever becomes of it', () => {
  const work = new OpenWork();
  work.note(textStart('b', 'm'));
  expect(work.mayHaveWritten).toBe(false);
  work.note(callStart('c', 'm'));
  work.note(abandoned('m'));
  work.abandonAttempt(1);
  expect(work.mayHaveWritten).toBe(true);
});
