import { DomainError } from '@spanwise/kernel';
import type { Tool, ToolContext } from '@spanwise/tool-kit/contract';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type ProbeWork, probe as probeTool } from '../../tests/probe.ts';
import { openSpans, spanEvents, ToolBench, toolCall, turnSpan } from '../../tests/tool-calls.ts';
import type { CallFrame } from '../domain/tool/tool-call.ts';
import { builtInTools } from '../infrastructure/tools/built-in-tools.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function probe(execute: ProbeWork, timeoutMs = 30_000): Tool {
  return probeTool({ effect: 'READ_ONLY', execute, timeoutMs });
}

const never = () => new Promise<never>(() => undefined);

test('opens a span for the call and one for each file operation below it, and ends them before the result', async () => {
  const bench = new ToolBench();
  bench.files.put('/workspace/a.txt', 'hello');
  const { frames, spans, result } = await bench.call('read', { path: 'a.txt' });
  const { callId } = toolCall('read', {});
  const tool = { id: '0000000000000001', par: turnSpan.span.id };
  const file = { id: '0000000000000002', par: tool.id };
  const timeMs = 1_800_000_000_000;
  const start = { type: 'span-start', timeMs, traceId: turnSpan.traceId };
  const end = { type: 'span-end', timeMs, status: 'ok', errorType: '', attributes: {} };
  expect(spans).toEqual([
    {
      ...start,
      span: tool,
      kind: 'tool',
      name: 'execute_tool read',
      attributes: {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'read',
        'gen_ai.tool.call.id': callId,
      },
    },
    { ...start, span: file, kind: 'file', name: 'read file', attributes: { 'file.path': '/workspace/a.txt' } },
    { ...end, span: file },
    { ...end, attributes: { 'spanwise.tool.decision': 'allow' }, span: tool },
  ]);
  expect(result).toEqual({
    callId,
    outcome: 'ok',
    text: '1\thello',
    structuredJson: '',
    code: '',
    truncated: undefined,
  });
  expect(frames).toHaveLength(5);
});

test('calls the file service for the caller, in the view of the run, under the span of the operation', async () => {
  const bench = new ToolBench();
  bench.files.put('/workspace/a.txt', 'hello');
  await bench.call('read', { path: 'a.txt' });
  const { caller, sessionId, runId } = toolCall('read', {});
  const span = { ...turnSpan, span: { id: '0000000000000002', par: '0000000000000001' } };
  const change = { epoch: 1, idempotencyKey: '' };
  expect(bench.files.calls).toEqual([
    { caller, sessionId, viewId: runId, span, ...change, signal: expect.any(AbortSignal) },
  ]);
});

test.each([
  [
    'an unknown tool',
    'reed',
    {},
    'TOOL_NOT_FOUND',
    `There is no tool "reed". The tools are: ${builtInTools
      .map(({ name }) => name)
      .toSorted()
      .join(', ')}.`,
  ],
  ['bad arguments', 'read', '{"path": "a.txt"', 'INVALID_FIELD', 'The arguments are cut off at position 16'],
  [
    'a failing tool',
    'read',
    { path: 'a.txt' },
    'FILE_NOT_FOUND',
    'There is nothing at /workspace/a.txt. Use ls or glob',
  ],
  [
    'a read-only mount',
    'write',
    { path: '/inputs/a', content: '' },
    'MOUNT_READ_ONLY',
    '/inputs/a can not be changed: /inputs is read-only.',
  ],
])('answers %s with a result that the model can act on', async (_, tool, input, errorType, text) => {
  const { spans, result } = await new ToolBench().call(tool, input);
  expect(result).toMatchObject({ outcome: 'error', text: expect.stringContaining(text), structuredJson: '' });
  expect(spans[0]).toMatchObject({ kind: 'tool', name: `execute_tool ${tool}` });
  expect(spans.at(-1)).toMatchObject({ type: 'span-end', status: 'error', errorType });
  expect(openSpans(spans)).toEqual([]);
});

test('names the span of a call whose tool is made up without what could break a line', async () => {
  const { spans } = await new ToolBench().call(`bad\nname${'x'.repeat(100)}`, {});
  expect(spans[0]).toMatchObject({ name: `execute_tool bad?name${'x'.repeat(56)}` });
});

test('says that files which can not be reached may be tried again', async () => {
  const unreachable = new DomainError('unavailable', 'DISK_UNAVAILABLE', 'The files could not be reached: try again.');
  const { result, spans } = await new ToolBench([probe(() => Promise.reject(unreachable))]).call('probe', {});
  expect(result).toMatchObject({ outcome: 'error', text: 'The files could not be reached: try again.' });
  expect(spans.at(-1)).toMatchObject({ status: 'error', errorType: 'DISK_UNAVAILABLE' });
});

test.each([
  ['an unexpected error', new TypeError('secret is not a function')],
  ['an internal error of another service', new DomainError('internal', 'INTERNAL', 'secret')],
])('logs %s and tells nothing of it', async (_, error) => {
  const bench = new ToolBench([probe(() => Promise.reject(error))]);
  const { result, spans } = await bench.call('probe', {});
  expect(result.outcome).toBe('error');
  expect(result.text).toMatch(/^The tool failed: /);
  expect(JSON.stringify([result, spans])).not.toContain('secret');
  expect(bench.logged).toEqual(['error: tool failed']);
});

test('bounds what a tool says', async () => {
  const tool = probe(() => Promise.resolve({ text: 'x\n'.repeat(5000), notice: '[Mine.]' }));
  const { text } = (await new ToolBench([tool]).call('probe', {})).result;
  expect(text.split('\n')).toHaveLength(2002);
  expect(text).toMatch(/\[Output cut: 2000 of 5000 lines, .*\]\n\[Mine\.\]$/);
});

test('gives a tool its idempotency key and its deadline', async () => {
  let seen: Partial<ToolContext> = {};
  const tool = probe(({ idempotencyKey, deadlineMs }) => {
    seen = { idempotencyKey, deadlineMs };
    return Promise.resolve({ text: '' });
  });
  const call = toolCall('probe', {});
  await new ToolBench([tool]).call('probe', {}, { timeoutMs: 5000 });
  expect(seen).toEqual({ idempotencyKey: `${call.runId}:${call.callId}`, deadlineMs: 1_800_000_000_000 + 4750 });
});

test('tells progress as it happens, in the span of the tool, and none after the call', async () => {
  let late: (() => void) | undefined;
  const tool = probe((context) => {
    context.progress({ done: 1, total: 2, message: 'half' });
    late = () => context.progress({ done: 2 });
    return Promise.resolve({ text: 'done' });
  });
  const bench = new ToolBench([tool]);
  const { frames } = await bench.call('probe', {});
  late?.();
  expect(frames.map(({ type }) => type)).toEqual(['span', 'progress', 'span', 'result']);
  expect(frames[1]).toEqual({
    type: 'progress',
    callId: toolCall('probe', {}).callId,
    span: { id: '0000000000000001', par: turnSpan.span.id },
    timeMs: 1_800_000_000_000,
    progress: { done: 1, total: 2, message: 'half' },
  });
});

test.each([
  ['the limit of the tool', undefined, 2000],
  ['the deadline of the caller', 1250, 1000],
])('stops a tool at %s, though it does not listen', async (_, timeoutMs, limitMs) => {
  const running = new ToolBench([probe(never, 2000)]).call('probe', {}, { timeoutMs });
  await vi.advanceTimersByTimeAsync(limitMs);
  const { result, spans } = await running;
  expect(result).toMatchObject({
    outcome: 'timeout',
    text: expect.stringContaining(`The tool was stopped: it did not end within ${limitMs / 1000} s.`),
  });
  expect(spans.at(-1)).toMatchObject({ status: 'error', errorType: 'DEADLINE_EXCEEDED' });
  expect(openSpans(spans)).toEqual([]);
});

test('ends the span of a file operation that was waiting when the time was up, as cancelled', async () => {
  const bench = new ToolBench();
  bench.files.stall('/workspace/slow');
  const running = bench.call('read', { path: 'slow' });
  await vi.advanceTimersByTimeAsync(30_000);
  const { result, spans } = await running;
  expect(result.outcome).toBe('timeout');
  expect(spans.map((event) => (event.type === 'span-end' ? event.status : event.name))).toEqual([
    'execute_tool read',
    'read file',
    'cancelled',
    'error',
  ]);
});

test('stops the tool, ends all spans and gives no result when it is cancelled', async () => {
  const bench = new ToolBench();
  bench.files.stall('/workspace/slow');
  const caller = new AbortController();
  const frames: CallFrame[] = [];
  const follow = async () => {
    for await (const frame of bench.execute(toolCall('read', { path: 'slow' }), caller.signal)) {
      frames.push(frame);
    }
  };
  const following = follow();
  await vi.advanceTimersByTimeAsync(10);
  const gone = new DomainError('cancelled', 'REQUEST_CANCELLED', 'gone');
  caller.abort(gone);
  await expect(following).rejects.toBe(gone);
  expect(bench.files.calls[0]?.signal.aborted).toBe(true);
  expect(spanEvents(frames).map((event) => (event.type === 'span-end' ? event.status : event.name))).toEqual([
    'execute_tool read',
    'read file',
    'cancelled',
    'cancelled',
  ]);
  expect(vi.getTimerCount()).toBe(0);
});

test('stops the tool when its frames are no longer read', async () => {
  let stopped: AbortSignal | undefined;
  const tool = probe((context) => {
    stopped = context.signal;
    context.progress({ done: 1 });
    return never();
  });
  for await (const frame of new ToolBench([tool]).execute(toolCall('probe', {}))) {
    if (frame.type === 'progress') {
      break;
    }
  }
  expect(stopped?.aborted).toBe(true);
});

test('refuses file operations after the call, and ends those that a tool forgot', async () => {
  let files: ToolContext['files'] | undefined;
  const bench = new ToolBench([
    probe((context) => {
      files = context.files;
      void context.files.read('/workspace/slow', { offset: 0, length: 1 });
      return Promise.resolve({ text: 'done' });
    }),
  ]);
  bench.files.stall('/workspace/slow');
  const { spans, result } = await bench.call('probe', {});
  expect(result.outcome).toBe('ok');
  expect(spans.filter(({ type }) => type === 'span-end')).toMatchObject([{ status: 'cancelled' }, { status: 'ok' }]);
  await expect(files?.stat('/workspace')).rejects.toMatchObject({ message: 'The call is over.' });
  expect(bench.files.calls).toHaveLength(1);
});

test('opens a span for every operation on files', async () => {
  const bench = new ToolBench([
    probe(async ({ files }) => {
      await files.makeDirectory('/workspace/d');
      const { file } = await files.write('/workspace/d/a', new Uint8Array([65]), { type: 'create-only' });
      await files.stat('/workspace/d/a');
      await files.list('/workspace/d', { pageSize: 10, pageToken: '' });
      await files.read('/workspace/d/a', { offset: 0, length: 10 });
      await files.edit('/workspace/d/a', { oldText: 'A', newText: 'B', replacesAll: false, etag: file.etag });
      await files.glob({ path: '/workspace', pattern: '**', limit: 10 });
      await files.move('/workspace/d/a', '/workspace/b');
      const query = { path: '/workspace', include: '', ignoresCase: false, contextLines: 0, limit: 10 };
      for await (const item of files.grep({ ...query, pattern: 'B' })) {
        expect(item).toMatchObject({ type: 'match', path: '/workspace/b' });
        break;
      }
      await files.delete('/workspace/d', { isRecursive: true, etag: undefined });
      for await (const item of files.grep({ ...query, pattern: '(' })) {
        expect(item).toBeUndefined();
      }
      return { text: '' };
    }),
  ]);
  const { spans, result } = await bench.call('probe', {});
  expect(result).toMatchObject({ outcome: 'error', text: expect.stringContaining('The pattern can not be used') });
  expect(openSpans(spans)).toEqual([]);
  expect(spans.flatMap((event) => (event.type === 'span-start' && event.kind === 'file' ? [event.name] : []))).toEqual([
    'make directory',
    'write file',
    'stat file',
    'list directory',
    'read file',
    'edit file',
    'glob files',
    'move file',
    'grep files',
    'delete file',
    'grep files',
  ]);
  const statuses = spans.flatMap((event) => (event.type === 'span-end' ? [event.errorType || event.status] : []));
  expect(statuses).toEqual([...Array.from({ length: 10 }, () => 'ok'), 'PATTERN_INVALID', 'PATTERN_INVALID']);
});
