import { describe, expect, it } from 'vitest';
import { assertAskable, assertContext } from './context.ts';
import { type Message, type PartContent, role, toolOutcome } from './message.ts';

let made = 0;
const message = (from: Message['role'], ...contents: readonly PartContent[]): Message => ({
  id: `m${++made}`,
  role: from,
  runId: 'r',
  parts: contents.map((part) => ({ part })),
});
const text = (value: string): PartContent => ({ case: 'text', value: { text: value } });
const call = (callId: string): PartContent => ({
  case: 'toolCall',
  value: { callId, tool: 'read', argumentsJson: '{}' },
});
const answer = (callId: string, shown = 'ok'): PartContent => ({
  case: 'toolResult',
  value: {
    callId,
    outcome: toolOutcome.ok,
    content: [{ content: { case: 'text', value: shown } }],
    structuredJson: '',
    code: '',
  },
});
const user = message(role.user, text('hello'));

describe('a context', () => {
  it.each<[string, readonly Message[]]>([
    ['is empty', []],
    ['begins with the user', [user]],
    ['has two user messages in a row, as after a cancelled run', [user, user]],
    ['has an answer', [user, message(role.assistant, text('hi'))]],
    [
      'has calls that are answered in any order',
      [user, message(role.assistant, text('so'), call('a'), call('b')), message(role.tool, answer('b'), answer('a'))],
    ],
    [
      'goes on with the user after results, as at a turn limit',
      [user, message(role.assistant, call('a')), message(role.tool, answer('a')), user],
    ],
    [
      'has only reasoning in an answer',
      [user, message(role.assistant, { case: 'reasoning', value: { text: '', providerState: new Uint8Array([1]) } })],
    ],
  ])('is valid when it %s', (_, messages) => {
    expect(() => assertContext(messages)).not.toThrow();
  });

  it.each<[string, readonly Message[]]>([
    ['a message is empty', [message(role.user)]],
    ['a text is empty', [message(role.user, text(''))]],
    ['an answer follows nothing to answer', [message(role.assistant, text('hi'))]],
    [
      'an answer follows nothing to answer',
      [user, message(role.assistant, text('a')), message(role.assistant, text('b'))],
    ],
    ['tool calls are not answered by the message after them', [user, message(role.assistant, call('c')), user]],
    [
      'a tool call has no result',
      [user, message(role.assistant, call('d'), call('e')), message(role.tool, answer('d'))],
    ],
    [
      'a tool result answers no call of the message before it, or one twice',
      [user, message(role.assistant, call('f')), message(role.tool, answer('f'), answer('f'))],
    ],
    ['a tool result answers no call of the message before it, or one twice', [user, message(role.tool, answer('g'))]],
    [
      'a call id is empty or used twice',
      [user, message(role.assistant, call('h')), message(role.tool, answer('h')), message(role.assistant, call('h'))],
    ],
    ['a tool result is empty', [user, message(role.assistant, call('i')), message(role.tool, answer('i', ''))]],
    ['a part does not suit the role', [message(role.user, call('j'))]],
    ['a part does not suit the role', [user, message(role.assistant, answer('k'))]],
    ['a message has a role that is never stored', [message(role.system, text('x'))]],
  ])('is refused when %s', (problem, messages) => {
    expect(() => assertContext(messages)).toThrow(
      expect.objectContaining({ kind: 'internal', reason: 'CONTEXT_INVALID' }),
    );
    expect(() => assertContext(messages)).toThrow(`The model context is not valid: ${problem}.`);
  });

  it('is refused when a part is of a kind that this version does not know', () => {
    const unknown = message(role.user, { case: undefined, value: undefined } as unknown as PartContent);
    expect(() => assertContext([unknown])).toThrow('a part does not suit the role');
  });

  it('can be asked about only when its last message wants an answer', () => {
    const answered = [user, message(role.assistant, text('hi'))];
    expect(() => assertAskable([user])).not.toThrow();
    expect(() => assertAskable(answered)).toThrow('there is nothing to answer');
    expect(() => assertAskable([])).toThrow('there is nothing to answer');
  });
});
