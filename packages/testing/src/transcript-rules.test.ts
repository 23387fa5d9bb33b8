import type { ChatMessage } from '@copilotkit/aimock';
import { expect, test } from 'vitest';
import { transcriptViolation } from './transcript-rules.ts';

const user: ChatMessage = { role: 'user', content: 'hi' };
const asks = (...ids: string[]): ChatMessage => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'read', arguments: '{}' } })),
});
const answers = (id: string): ChatMessage => ({ role: 'tool', content: 'ok', tool_call_id: id });

test('accepts a dialogue in which every call is answered once', () => {
  expect(transcriptViolation([user, asks('a', 'b'), answers('b'), answers('a'), user])).toBeUndefined();
});

test.each<[string, ChatMessage[]]>([
  ['without an answer', [user, asks('a')]],
  ['comes before the answers', [user, asks('a'), user]],
  ['answers a call that is not open', [user, answers('a')]],
  ['answers a call that is not open', [user, asks('a'), answers('a'), answers('a')]],
  ['uses a call id twice', [user, asks('a', 'a'), answers('a')]],
  ['is empty', [user, { role: 'assistant', content: '' }]],
])('finds what %s', (message, messages) => {
  expect(transcriptViolation(messages)).toContain(message);
});
