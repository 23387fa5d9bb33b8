import {
  AggregationTemporality,
  InMemoryMetricExporter,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { Telemetry } from './telemetry.ts';

test('exports what is measured under the name of the service', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const metricReader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const telemetry = new Telemetry({ service: 'tool-host', env: {}, metricReader });
  telemetry.meter.createCounter('calls').add(2, { tool: 'read' });
  await metricReader.forceFlush();
  const [exported] = exporter.getMetrics();
  expect(exported?.resource.attributes['service.name']).toBe('tool-host');
  const [metric] = exported?.scopeMetrics[0]?.metrics ?? [];
  expect(metric?.descriptor.name).toBe('calls');
  expect(metric?.dataPoints).toMatchObject([{ attributes: { tool: 'read' }, value: 2 }]);
  await telemetry[Symbol.asyncDispose]();
});

test('measures nothing when nobody wants it', () => {
  for (const env of [{}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_METRICS_EXPORTER: 'none' }]) {
    const { meter } = new Telemetry({ service: 'tool-host', env });
    expect(() => meter.createHistogram('h').record(1)).not.toThrow();
  }
});
