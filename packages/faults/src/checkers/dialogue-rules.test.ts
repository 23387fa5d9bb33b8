import { describe, expect, test } from 'vitest';
import { type DialogueMessage, dialogueFaults } from './dialogue-rules.ts';

const user: DialogueMessage = { role: 'user', calls: [], answers: [], isEmpty: false };
const asks = (...calls: string[]): DialogueMessage => ({ role: 'assistant', calls, answers: [], isEmpty: false });
const answers = (...ids: string[]): DialogueMessage => ({ role: 'tool', calls: [], answers: ids, isEmpty: false });

describe('the rules of a dialogue', () => {
  test.each([
    ['a dialogue with calls', [user, asks('a', 'b'), answers('a'), answers('b'), asks()]],
    ['answers in one message', [user, asks('a', 'b'), answers('a', 'b'), asks()]],
    ['two users in a row, as a cancelled run leaves them', [user, user, asks()]],
  ])('are kept by %s', (_, dialogue) => {
    expect(dialogueFaults(dialogue)).toEqual([]);
  });

  test.each([
    ['a call without an answer', [user, asks('a')], 'no answers for a'],
    ['an answer too late', [user, asks('a'), user, answers('a')], 'message 2 (user) comes before the answers of a'],
    ['two answers', [user, asks('a'), answers('a'), answers('a')], 'message 3 (tool) answers a, which is not open'],
    ['an id used twice', [user, asks('a', 'a'), answers('a')], 'message 1 (assistant) uses the call id a again'],
    ['an assistant that begins', [asks()], 'message 0 (assistant) comes before any user'],
    ['an empty message', [{ ...user, isEmpty: true }], 'message 0 (user) is empty'],
    ['late instructions', [user, { ...user, role: 'system' as const }], 'message 1 (system) is not the first'],
  ])('are broken by %s', (_, dialogue, fault) => {
    expect(dialogueFaults(dialogue)).toContain(fault);
  });

  test('let the last calls wait while the run goes on', () => {
    expect(dialogueFaults([user, asks('a')], true)).toEqual([]);
  });
});
