import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { ToolClass, ToolDecision, ToolEffect } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { startOtlpReceiver } from '@spanwise/testing';
import { DomainError, type ProviderTool, type ProviderToolContext } from '@spanwise/tool-kit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { newCall } from './tool-host-client.ts';
import { done, gate, list, ProviderBench, provided } from './tool-provider.ts';

let bench: ProviderBench;
beforeEach(() => {
  bench = new ProviderBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
});

test('offers the tools of a provider under its name, with all that they tell of themselves', async () => {
  const host = await bench.hostWith([provided('look', 'READ_ONLY', done, '7')]);
  const [listed] = await list(host);
  const { $typeName: _, inputSchemaJson, ...look } = listed ?? { $typeName: '', inputSchemaJson: '{}' };
  expect(look).toEqual({
    name: 'billing__look',
    title: 'look',
    description: 'Does look.',
    effect: ToolEffect.READ_ONLY,
    toolClass: ToolClass.OWN,
    version: '7',
    defaultDecision: ToolDecision.ALLOW,
    source: 'billing',
  });
  expect(JSON.parse(inputSchemaJson)).toEqual({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: { n: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, default: 1 } },
    additionalProperties: false,
  });
});

test('gives a tool the facts of its call and no token, and tells what it says', async () => {
  let context: ProviderToolContext | undefined;
  const look = provided('look', 'IDEMPOTENT', async (given, { n }) => {
    context = given;
    given.progress({ done: 1, total: 2, message: 'half' });
    given.output('line 1\n');
    return { text: `n is ${n}`, structured: { n }, notice: 'That is all.' };
  });
  const host = await bench.hostWith([look]);
  const call = newCall();
  const { result, text } = await host.execute(call, 'billing__look', {}, { timeoutMs: 5000 });
  expect({ outcome: result?.outcome, json: result?.structuredJson, text }).toEqual({
    outcome: ToolOutcome.OK,
    json: '{"n":1}',
    text: 'n is 1\nThat is all.',
  });
  const { sessionId, runId, callId } = call;
  expect(context).toMatchObject({
    call: { uid: 'ann', sessionId, runId, callId },
    idempotencyKey: `${runId}:${callId}`,
    answer: undefined,
    span: { traceId: '1'.repeat(32) },
  });
  expect(Object.keys(context ?? {}).sort()).toEqual(
    ['answer', 'call', 'deadlineMs', 'idempotencyKey', 'log', 'output', 'progress', 'signal', 'span'].sort(),
  );
  expect(JSON.stringify(context)).not.toContain('secret-of-ann');
  const leftMs = (context?.deadlineMs ?? 0) - Date.now();
  expect([leftMs > 3000, leftMs < 5000]).toEqual([true, true]);
  expect(context?.signal.aborted).toBe(true);
});

test('passes progress and output on while a tool is at work', async () => {
  const told = gate();
  const slow = provided('slow', 'READ_ONLY', async ({ progress, output }) => {
    progress({ done: 1, total: 3, message: 'first' });
    output('out');
    await told.promise;
    return { text: 'end' };
  });
  const host = await bench.hostWith([slow]);
  const events: AgentEvent[] = [];
  const span = { span: { id: 'a'.repeat(16), par: '' }, traceId: '1'.repeat(32), traceFlags: 0 };
  const request = { ...newCall(), tool: 'billing__slow', argumentsJson: '{}', span };
  for await (const message of host.rpcs.executeTool(request, { headers: { uid: 'ann' } })) {
    events.push(...message.events);
    if (events.some(({ data }) => data.case === 'toolProgress' && data.value.output === 'out')) {
      told.open();
    }
  }
  const progress = events.flatMap(({ data }) => (data.case === 'toolProgress' ? [data.value] : []));
  expect(progress.map(({ progress: done, total, message, output }) => ({ done, total, message, output }))).toEqual([
    { done: 1, total: 3, message: 'first', output: '' },
    { done: 0, total: 0, message: '', output: 'out' },
  ]);
});

test('refuses arguments that do not fit before the provider hears of them', async () => {
  let calls = 0;
  const look = provided('look', 'READ_ONLY', () => {
    calls += 1;
    return done();
  });
  const host = await bench.hostWith([look]);
  const { result, text } = await host.execute(newCall(), 'billing__look', { n: 0, m: 1 });
  expect({ code: result?.code, calls }).toEqual({ code: 'INVALID_FIELD', calls: 0 });
  expect(text).toContain('it must be >= 1');
  expect(text).toContain('there is no such key');
});

test('tells the model what a tool says that fails, and nothing of a bug', async () => {
  const host = await bench.hostWith([
    provided('fail', 'READ_ONLY', () => Promise.reject(new DomainError('not-found', 'NO_ORDER', 'There is no order.'))),
    provided('say', 'READ_ONLY', () => Promise.resolve({ text: 'exit 1', isError: true, code: 'EXIT_1' })),
    provided('crash', 'NON_REPEATABLE', () => Promise.reject(new RangeError('password=hunter2'))),
  ]);
  const results = await Promise.all(
    ['fail', 'say', 'crash'].map((name) => host.execute(newCall(), `billing__${name}`)),
  );
  expect(results.map(({ result, text }) => [result?.outcome, result?.code, text])).toEqual([
    [ToolOutcome.ERROR, 'NO_ORDER', 'There is no order.'],
    [ToolOutcome.ERROR, 'EXIT_1', 'exit 1'],
    [ToolOutcome.ERROR, 'INTERNAL', expect.stringMatching(/^The tool failed: an error inside it, which was logged/)],
  ]);
});

test('suspends a call for a question, and executes it anew with the answer', async () => {
  const ask = provided('ask', 'NON_REPEATABLE', ({ answer }) =>
    Promise.resolve(
      answer === undefined
        ? { suspend: { kind: 'question', message: 'Sure?', schema: { type: 'boolean' }, expiresInMs: 60_000 } }
        : { text: `${answer.answerJson} by ${answer.answeredBy}` },
    ),
  );
  const host = await bench.hostWith([ask]);
  const call = newCall();
  const { suspended } = await host.execute(call, 'billing__ask');
  expect(suspended).toMatchObject({ message: 'Sure?', schemaJson: '{"type":"boolean"}', callId: call.callId });
  const answer = { interruptId: suspended?.id ?? '', callId: call.callId, answerJson: 'true', answeredBy: 'ann' };
  expect((await host.execute(call, 'billing__ask', {}, { answer })).text).toBe('true by ann');
});

test('ends the RPC when the call is cancelled, and when its time is up', async () => {
  const stops: unknown[] = [];
  const begun = gate();
  const hang = provided('hang', 'READ_ONLY', ({ signal }) => {
    begun.open();
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => {
        stops.push('stopped');
        reject(signal.reason);
      }),
    );
  });
  const host = await bench.hostWith([hang]);
  const cancel = new AbortController();
  const cancelled = host.execute(newCall(), 'billing__hang', {}, { signal: cancel.signal });
  await begun.promise;
  cancel.abort();
  await expect(cancelled).rejects.toThrow('aborted');
  await expect.poll(() => stops, { timeout: 2000 }).toEqual(['stopped']);
  const { result } = await host.execute(newCall(), 'billing__hang', {}, { timeoutMs: 600 });
  expect(result?.outcome).toBe(ToolOutcome.TIMEOUT);
  await expect.poll(() => stops, { timeout: 2000 }).toEqual(['stopped', 'stopped']);
});

test('leaves out what can not be offered, and offers the rest', async () => {
  const named = (name: string, schema: object): ProviderTool => {
    const tool = provided(name, 'READ_ONLY', done);
    return { ...tool, input: { ...tool.input, jsonSchema: { ...schema } } };
  };
  const host = await bench.hostWith([
    named('elsewhere', { type: 'object', properties: { a: { $ref: 'https://evil.example/schema.json' } } }),
    named('list', { type: 'array' }),
    named('long', { type: 'object', description: 'x'.repeat(70_000) }),
    named('n'.repeat(60), { type: 'object' }),
    named('fine', { type: 'object' }),
  ]);
  expect((await list(host)).map(({ name }) => name)).toEqual(['billing__fine']);
  expect((await host.execute(newCall(), 'billing__list')).result?.code).toBe('TOOL_NOT_FOUND');
});

test("the call of a provider is a leaf of the tool's span, in the trace of the run", async () => {
  const collector = bench.resources.use(await startOtlpReceiver());
  let spanId = '';
  const look = provided('look', 'READ_ONLY', ({ span }) => {
    spanId = span.span.id;
    return done();
  });
  // The exporter looks at the process itself.
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url);
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '50' };
  const host = await bench.hostWith([look], { env, name: 'billing-tools' });
  const traceId = '5'.repeat(32);
  const span = { span: { id: 'a'.repeat(16), par: '' }, traceId, traceFlags: 1 };
  const request = { ...newCall(), tool: 'billing__look', argumentsJson: '{}', span };
  const starts: string[] = [];
  for await (const { events } of host.rpcs.executeTool(request, { headers: { uid: 'ann' } })) {
    starts.push(...events.flatMap(({ data, span: each }) => (data.case === 'spanStart' ? [each?.id ?? ''] : [])));
  }
  expect(starts).toEqual([spanId]);
  const exported = () =>
    collector.spans
      .filter((each) => each.traceId === traceId)
      .map(({ service, name, parentSpanId }) => ({ service, name, parentSpanId }));
  await expect
    .poll(exported, { timeout: 5000 })
    .toEqual([
      { service: 'billing-tools', name: 'spanwise.tool.v1.ToolProviderService/CallTool', parentSpanId: spanId },
    ]);
});
