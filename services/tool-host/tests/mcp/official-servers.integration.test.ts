import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerTo, McpBench, nodeProgram, toolServer } from './mcp-bench.ts';

const everything = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'));
const filesystem = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-filesystem/dist/index.js'));
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'spanwise-mcp-files-')));

let bench: McpBench;

beforeAll(async () => {
  writeFileSync(join(folder, 'note.txt'), 'from the disk\n');
  bench = new McpBench([
    toolServer('every', nodeProgram(everything), { effects: { echo: 'READ_ONLY' } }),
    toolServer('files', nodeProgram(filesystem, [folder]), {
      trustsAnnotations: true,
      tools: { allow: ['*'], deny: ['write_*', 'edit_file', 'move_file'] },
    }),
  ]);
  await bench.listed((names) => names.includes('every__echo') && names.includes('files__read_text_file'));
});

afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('offers their tools as the operator lets them through', () => {
  const tools = new Map(bench.tools().map((tool) => [tool.name, tool]));
  expect(tools.get('every__get-sum')).toMatchObject({
    ...{
      title: 'Get Sum Tool',
      toolClass: 'remote',
      effect: 'NON_REPEATABLE',
      source: 'every',
      defaultDecision: 'allow',
    },
    limits: { timeoutMs: 10_000, outputBytes: 51_200 },
    version: expect.stringMatching(/^[0-9a-f]{16}$/),
  });
  expect(tools.get('every__echo')?.effect).toBe('READ_ONLY');
  expect(tools.get('files__read_text_file')?.effect).toBe('READ_ONLY');
  expect(tools.get('files__create_directory')?.effect).toBe('IDEMPOTENT');
  expect([...tools.keys()].filter((name) => /write|edit|move/.test(name))).toEqual([]);
  expect([...tools.keys()].filter((name) => /sampling|roots/.test(name))).toEqual([]);
});

test('executes them', async () => {
  expect(await bench.told('every__echo', { message: 'hello' })).toBe('ok: Echo: hello');
  expect(await bench.told('every__get-sum', { a: 2, b: 3 })).toBe('ok: The sum of 2 and 3 is 5.');
  expect(await bench.told('files__read_text_file', { path: join(folder, 'note.txt') })).toBe('ok: from the disk\n');
});

test('checks arguments before anything is sent', async () => {
  expect(await bench.told('every__get-sum', { a: 'two' })).toContain('a (position 1): it must be number.');
});

test('passes on what a tool says about its failure', async () => {
  const last = await bench.last('files__read_text_file', { path: '/etc/passwd' });
  expect(last).toMatchObject({
    result: { outcome: 'error', code: 'TOOL_FAILED', text: expect.stringContaining('Access denied') },
  });
});

test('tells structured results, and in a line what is no text', async () => {
  const structured = { temperature: 36, conditions: 'Light rain / drizzle', humidity: 82 };
  const last = await bench.last('every__get-structured-content', { location: 'Chicago' });
  expect(last).toMatchObject({ result: { outcome: 'ok', structuredJson: JSON.stringify(structured) } });
  expect(await bench.told('every__get-tiny-image')).toContain('[image: image/png, 4033 bytes, not shown]');
  expect(await bench.told('every__get-resource-links', { count: 1 })).toContain('[link: ');
  expect(await bench.told('every__get-resource-reference', { resourceType: 'Text', resourceId: 1 })).toMatch(
    /\[resource: demo:\/\/resource\/dynamic\/text\/1, text\/plain, \d+ bytes, not shown\]/,
  );
});

test('gives a program nothing of its own environment', async () => {
  const env: unknown = JSON.parse((await bench.told('every__get-env')).slice('ok: '.length));
  expect(env).toEqual({ PATH: process.env.PATH });
});

test('tells progress', async () => {
  const frames = await bench.frames('every__trigger-long-running-operation', { duration: 0.6, steps: 3 });
  const progress = frames.flatMap((frame) => (frame.type === 'progress' ? [frame.progress] : []));
  expect(progress).toEqual([
    { done: 1, total: 3 },
    { done: 2, total: 3 },
    { done: 3, total: 3 },
  ]);
});

test('asks the user what a server asks midway, and executes the call again with the answer', async () => {
  const callId = bench.newId();
  const asked = await bench.last('every__trigger-elicitation-request', {}, { callId });
  expect(asked).toMatchObject({
    interrupt: { kind: 'question', message: expect.stringContaining('The server "every" asks:') },
  });
  const answer = answerTo(asked, { action: 'accept', content: { name: 'Ann', check: true } });
  const told = await bench.told('every__trigger-elicitation-request', {}, { callId, answer });
  expect(told).toContain('User provided the requested information');
  expect(told).toContain('Ann');
});

test.each([
  [{ action: 'decline' }, 'ok: ❌ User declined'],
  [{ action: 'accept', content: { name: 7 } }, "error: The user's answer can not be used: it does not fit the form"],
  [{ action: 'destroy' }, "error: The user's answer can not be used: it is not what was asked for"],
])('takes the answer %j', async (value, expected) => {
  const callId = bench.newId();
  const asked = await bench.last('every__trigger-elicitation-request', {}, { callId });
  const told = await bench.told('every__trigger-elicitation-request', {}, { callId, answer: answerTo(asked, value) });
  expect(told).toContain(expected);
});

test('says that nobody answered when the question expires', async () => {
  const callId = bench.newId();
  const asked = await bench.last('every__trigger-elicitation-request', {}, { callId });
  const answer = { ...answerTo(asked, null), answerJson: '', isExpired: true };
  expect(await bench.told('every__trigger-elicitation-request', {}, { callId, answer })).toContain('cancelled');
});

test('adds little to the time of the server', async () => {
  const tool = bench.tools().find(({ name }) => name === 'every__echo');
  const times: number[] = [];
  for (let count = 0; count < 60; count += 1) {
    const begun = performance.now();
    await bench.told('every__echo', { message: 'x' });
    times.push(performance.now() - begun);
  }
  const [p50 = 0] = times.sort((a, b) => a - b).slice(30);
  expect(tool).toBeDefined();
  expect(p50).toBeLessThan(100);
});
