import { noPolicy, type ToolContext } from '@spanwise/tool-kit/contract';
import { expect, test } from 'vitest';
import { probe } from '../../tests/probe.ts';
import { ToolBench } from '../../tests/tool-calls.ts';

const policy = { ...noPolicy, allow: ['*'], deny: ['write(/workspace/locked/*)'], ask: ['read(/workspace/secret*)'] };
const data = new TextEncoder().encode('x');

/** What becomes of an operation on files in a tool of the class shell, or of another one. */
async function outcomeOf(toolClass: 'shell' | 'files', work: (context: ToolContext) => Promise<unknown>) {
  const tool = {
    ...probe({ effect: 'IDEMPOTENT', execute: async (context) => ({ text: String(await work(context)) }) }),
    toolClass,
  };
  const bench = new ToolBench([tool]);
  bench.files.put('/workspace/secret.txt', 'x');
  bench.files.put('/workspace/locked/a', 'x');
  const { outcome, code, text } = (await bench.call('probe', {}, { policy })).result;
  return outcome === 'ok' ? 'ok' : `${code}: ${text}`;
}

const createOnly = { type: 'create-only' } as const;

test.each<[string, (context: ToolContext) => Promise<unknown>]>([
  ['writes', ({ files }) => files.write('/workspace/locked/b', data, createOnly)],
  ['makes a directory', ({ files }) => files.makeDirectory('/workspace/locked/d')],
  ['deletes', ({ files }) => files.delete('/workspace/locked/a', { isRecursive: false, etag: undefined })],
  ['deletes what holds it', ({ files }) => files.delete('/workspace', { isRecursive: true, etag: undefined })],
  ['moves what holds it', ({ files }) => files.move('/workspace/locked', '/workspace/open')],
  ['moves into it', ({ files }) => files.move('/workspace/x', '/workspace/locked/x')],
  ['reads', ({ files }) => files.read('/workspace/secret.txt', { offset: 0, length: 1 })],
  ['moves what is not to be read', ({ files }) => files.move('/workspace/secret.txt', '/workspace/open.txt')],
  ['searches what is not to be read', ({ files }) => Array.fromAsync(files.grep({ path: '/workspace' } as never))],
])('a command that %s against a rule is refused that', async (_, work) => {
  expect(await outcomeOf('shell', work)).toMatch(/^TOOL_DENIED: .* by commands \(rule /);
});

test('a command may do all else, and rules for paths do not stop tools that were asked about as a whole', async () => {
  expect(await outcomeOf('shell', ({ files }) => files.write('/workspace/free', data, createOnly))).toBe('ok');
  expect(await outcomeOf('shell', ({ files }) => files.stat('/workspace/secret.txt'))).toBe('ok');
  expect(await outcomeOf('files', ({ files }) => files.write('/workspace/locked/b', data, createOnly))).toBe('ok');
});
