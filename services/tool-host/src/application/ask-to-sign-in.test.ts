import { DomainError } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { probe } from '../../tests/probe.ts';
import { ann, ToolBench, toolCall } from '../../tests/tool-calls.ts';
import { fileError } from '../domain/files/file-errors.ts';
import type { ToolCall } from '../domain/tool/tool-call.ts';

const path = '/userinfo/profile.txt';
const input = { read: { path }, write: { path, content: 'tea' } } as const;
const names = ['read', 'write'] as const;
const signedIn = { ...ann, token: 'fresh-token-of-ann' };
const key = toolCall('read', {});

function refusingBench(): ToolBench {
  const bench = new ToolBench();
  bench.files.userToken = signedIn.token;
  return bench;
}

async function suspended(bench: ToolBench, tool: keyof typeof input, facts: Partial<ToolCall> = {}) {
  const last = (await bench.frames(tool, input[tool], facts)).at(-1);
  return last?.type === 'suspended' ? last.interrupt : expect.fail('it did not wait');
}

const answering = (interruptId: string, answerJson = '{"signed_in":true}') => {
  return { answer: { interruptId, answerJson, isExpired: answerJson === '', answeredBy: 'ann' } };
};

test.each(names)('a disk that refuses the token lets a call of %s wait for another one', async (tool) => {
  const bench = refusingBench();
  const interrupt = await suspended(bench, tool);
  expect(interrupt).toEqual({
    id: expect.any(String),
    kind: 'auth',
    callId: key.callId,
    message: `The disk "users" of ${path} did not take your token: sign in, and answer with a valid one.`,
    schemaJson: expect.stringContaining('"required":["signed_in"]'),
    expiresAtMs: 1_800_000_060_000,
  });
  expect(await bench.shared.ledger.find(key)).toMatchObject({ state: 'SUSPENDED', tool, interrupt });
  // Whoever asks again, also another process, is told the same.
  const other = new ToolBench(undefined, bench.shared);
  other.files.userToken = signedIn.token;
  expect(await suspended(other, tool, { epoch: 2 })).toEqual(interrupt);
  expect(await suspended(bench, tool, { epoch: 3 })).toEqual(interrupt);
});

test('a call is executed again with the token of the answer, as if it had not been refused', async () => {
  const bench = refusingBench();
  bench.files.put(path, 'likes tea');
  const { id } = await suspended(bench, 'read');
  const { result } = await bench.call('read', input.read, { ...answering(id), caller: signedIn, epoch: 2 });
  expect(result).toEqual({
    callId: key.callId,
    outcome: 'ok',
    text: '1\tlikes tea',
    structuredJson: '',
    code: '',
    truncated: undefined,
  });
});

test('a change happens once, with the same key as when it was refused', async () => {
  const bench = refusingBench();
  const { id } = await suspended(bench, 'write');
  const facts = { ...answering(id), caller: signedIn, epoch: 2 };
  expect((await bench.call('write', input.write, facts)).result).toMatchObject({ outcome: 'ok' });
  expect(new Set(bench.files.calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  bench.files.put(path, 'coffee');
  expect((await bench.call('write', input.write, facts)).result).toMatchObject({ outcome: 'ok' });
  expect(bench.files.text(path)).toBe('coffee');
});

test.each(names)('a call of %s whose new token is refused as well asks again', async (tool) => {
  const bench = refusingBench();
  const first = await suspended(bench, tool);
  const facts = { ...answering(first.id), caller: { ...ann, token: 'another-token' }, epoch: 2 };
  const second = await suspended(bench, tool, facts);
  expect(second).toMatchObject({ kind: 'auth', message: expect.stringContaining('did not take your token either') });
  expect(second.id).not.toBe(first.id);
  expect(second.message).not.toContain('another-token');
  expect(await bench.shared.ledger.find(key)).toMatchObject({ state: 'SUSPENDED', interrupt: second });
});

test.each([
  ['nobody signed in in time', ''],
  ['the user does not want to', '{"signed_in":false}'],
])('the model is told that the user has not signed in when %s', async (_, answerJson) => {
  for (const tool of names) {
    const bench = refusingBench();
    const { id } = await suspended(bench, tool);
    const { result, spans } = await bench.call(tool, input[tool], { ...answering(id, answerJson), epoch: 2 });
    const text = `The user has not signed in. The user has to sign in again before ${path} can be used.`;
    expect(result).toMatchObject({ outcome: 'error', text: expect.stringContaining(text) });
    expect(spans.at(-1)).toMatchObject({ status: 'error', errorType: 'DISK_AUTH_REQUIRED' });
  }
});

test('a call that may not be repeated is not asked for, nor one that was refused for another reason', async () => {
  const refused = fileError('DISK_AUTH_REQUIRED', { path, disk: 'users' });
  const once = new ToolBench([probe({ effect: 'NON_REPEATABLE', execute: () => Promise.reject(refused) })]);
  expect((await once.call('probe', {})).result).toMatchObject({ outcome: 'error', text: refused.message });
  const denied = new DomainError('unauthenticated', 'UNAUTHENTICATED', 'No.');
  const other = new ToolBench([probe({ effect: 'IDEMPOTENT', execute: () => Promise.reject(denied) })]);
  expect((await other.call('probe', {})).result).toMatchObject({ outcome: 'error', text: 'No.' });
});

test('a call that is shut out meanwhile does not ask', async () => {
  const bench = refusingBench();
  await bench.shared.ledger.raiseFence(key.sessionId, 2);
  await expect(bench.frames('read', input.read)).rejects.toMatchObject({ reason: 'FENCED' });
  expect(await bench.shared.ledger.find(key)).toBeUndefined();
});
