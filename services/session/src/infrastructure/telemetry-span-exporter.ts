import type { SpanStatus } from '@spanwise/kernel';
import type { Telemetry } from '@spanwise/telemetry';
import type { SpanExporter } from '../application/ports/span-exporter.ts';
import { spanStatus } from '../domain/event/agent-event.ts';

const statusNames = new Map<number, SpanStatus>([
  [spanStatus.ok, 'ok'],
  [spanStatus.error, 'error'],
  [spanStatus.cancelled, 'cancelled'],
  [spanStatus.abandoned, 'abandoned'],
]);

/** Exports the spans of the log by OpenTelemetry, each in the name of the service that opened it. */
export function telemetrySpanExporter(telemetry: Telemetry): SpanExporter {
  return {
    traceFlags: (traceId) => telemetry.traceFlags(traceId),
    export({ span, traceId, name, service, startMs, endMs, attributes, end }, traceFlags) {
      telemetry.export({
        span,
        traceId,
        traceFlags,
        name,
        service,
        startMs,
        endMs,
        status: statusNames.get(end.status) ?? 'error',
        errorType: end.errorType,
        attributes: { ...attributes, ...end.attributes },
      });
    },
  };
}
