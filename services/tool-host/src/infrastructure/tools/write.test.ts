import { brandId, type SessionId, type Uid } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { ann, ToolBench } from '../../../tests/tool-calls.ts';

const path = '/workspace/a.txt';
const refusal = `error: ${path} exists and has not been read. Read it first; then write it, or change a part with edit.`;

test('creates a file, and overwrites what it wrote itself', async () => {
  const bench = new ToolBench();
  const { result } = await bench.call('write', { path: 'a.txt', content: 'one' });
  expect(result).toMatchObject({ outcome: 'ok', text: `Created ${path}: 3 bytes.` });
  expect(JSON.parse(result.structuredJson)).toEqual({ path, etag: 'v1', size: 3, created: true });
  expect(await bench.text('write', { path, content: '' })).toBe(`Overwrote ${path}: 0 bytes.`);
  expect(bench.files.text(path)).toBe('');
});

test('overwrites a file only after it was read', async () => {
  const bench = new ToolBench();
  bench.files.put(path, 'theirs');
  expect(await bench.text('write', { path, content: 'mine' })).toBe(refusal);
  await bench.text('read', { path, limit: 1 });
  expect(await bench.text('write', { path, content: 'mine $& $1' })).toBe(`Overwrote ${path}: 10 bytes.`);
  expect(bench.files.text(path)).toBe('mine $& $1');
});

test('does not overwrite a version that was not read', async () => {
  const bench = new ToolBench();
  bench.files.put(path, 'one');
  await bench.text('read', { path });
  bench.files.put(path, 'two');
  expect(await bench.text('write', { path, content: 'mine' })).toMatch(/^error: .* has changed since it was read/);
  expect(await bench.text('write', { path, content: 'mine' })).toBe(refusal);
  expect(bench.files.text(path)).toBe('two');
});

test('writes a file anew that was deleted after it was read', async () => {
  const bench = new ToolBench();
  bench.files.put(path, 'one');
  await bench.text('read', { path });
  bench.files.remove(path);
  expect(await bench.text('read', { path })).toMatch(/^error: There is nothing at/);
  expect(await bench.text('write', { path, content: 'two' })).toBe(`Created ${path}: 3 bytes.`);
});

test.each([
  ['another session', { sessionId: brandId<SessionId>('01920000-0000-7000-8000-000000000009') }],
  ['another user', { caller: { ...ann, uid: brandId<Uid>('bob') } }],
])('does not take what %s has read for read', async (_, other) => {
  const bench = new ToolBench();
  bench.files.put(path, 'one');
  await bench.call('read', { path }, other);
  expect(await bench.text('write', { path, content: 'two' })).toBe(refusal);
});

test('refuses text that can not be stored', async () => {
  const { result } = await new ToolBench().call('write', { path, content: 'half \ud83d' });
  expect(result.text).toContain('content (position 27): it has half of a surrogate pair');
});
