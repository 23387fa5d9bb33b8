import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { parentContext, Telemetry } from './telemetry.ts';

const finished = {
  span: { id: 'bbbbbbbbbbbbbbbb', par: 'aaaaaaaaaaaaaaaa' },
  traceId: '1'.repeat(32),
  traceFlags: 1,
  name: 'turn 1',
  service: 'agent-runtime',
  startMs: 1_800_000_000_000.25,
  endMs: 1_800_000_000_500.75,
  status: 'error' as const,
  errorType: 'MODEL_UNAVAILABLE',
  attributes: { 'spanwise.run.id': 'r' },
};

test('exports spans of the log with their own ids, times and service', () => {
  const exporter = new InMemorySpanExporter();
  const telemetry = new Telemetry({ service: 'session', env: {}, processor: new SimpleSpanProcessor({ exporter }) });
  telemetry.export(finished);
  const [span] = exporter.getFinishedSpans();
  expect(span?.spanContext()).toMatchObject({ traceId: finished.traceId, spanId: finished.span.id });
  expect(span?.parentSpanContext?.spanId).toBe(finished.span.par);
  expect(span?.startTime).toEqual([1_800_000_000, 250_000]);
  expect(span?.resource.attributes['service.name']).toBe('agent-runtime');
  expect(span?.attributes).toMatchObject({ 'spanwise.run.id': 'r', 'error.type': 'MODEL_UNAVAILABLE' });
});

test('exports nothing of a trace that is not sampled', () => {
  const exporter = new InMemorySpanExporter();
  const telemetry = new Telemetry({ service: 'session', env: {}, processor: new SimpleSpanProcessor({ exporter }) });
  telemetry.export({ ...finished, traceFlags: 0 });
  expect(exporter.getFinishedSpans()).toEqual([]);
});

test('samples by OTEL_TRACES_SAMPLER, and nothing without an exporter', () => {
  const processor = new SimpleSpanProcessor({ exporter: new InMemorySpanExporter() });
  expect(new Telemetry({ service: 's', env: {} }).traceFlags(finished.traceId)).toBe(0);
  expect(new Telemetry({ service: 's', env: {}, processor }).traceFlags(finished.traceId)).toBe(1);
  const env = { OTEL_TRACES_SAMPLER: 'always_off' };
  expect(new Telemetry({ service: 's', env, processor }).traceFlags(finished.traceId)).toBe(0);
});

test('makes RPC spans leaves of the span that encloses them', () => {
  const exporter = new InMemorySpanExporter();
  const telemetry = new Telemetry({ service: 's', env: {}, processor: new SimpleSpanProcessor({ exporter }) });
  telemetry.tracer.startSpan('rpc', {}, parentContext(finished)).end();
  expect(exporter.getFinishedSpans()[0]?.parentSpanContext?.spanId).toBe(finished.span.id);
});
