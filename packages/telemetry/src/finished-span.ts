import { type HrTime, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { ExecSpan, SpanAttributes, SpanStatus } from '@spanwise/kernel';

/** A span of the log that was closed. */
export interface FinishedSpan {
  readonly span: ExecSpan;
  readonly traceId: string;
  readonly traceFlags: number;
  readonly name: string;
  /** The service that opened it: its `service.name`. */
  readonly service: string;
  /** Milliseconds since 1970 UTC; fractions are kept. */
  readonly startMs: number;
  readonly endMs: number;
  readonly status: SpanStatus;
  readonly errorType: string;
  readonly attributes: SpanAttributes;
}

/** What the exporters of OpenTelemetry take. */
export function readableSpan(finished: FinishedSpan, resource: Resource): ReadableSpan {
  const { span, traceId, traceFlags, startMs, endMs, status, errorType } = finished;
  const isFailed = status === 'error' || status === 'abandoned';
  return {
    name: finished.name,
    kind: SpanKind.INTERNAL,
    spanContext: () => ({ traceId, spanId: span.id, traceFlags }),
    ...(span.par === '' ? {} : { parentSpanContext: { traceId, spanId: span.par, traceFlags } }),
    startTime: hrTime(startMs),
    endTime: hrTime(endMs),
    duration: hrTime(Math.max(0, endMs - startMs)),
    status: { code: isFailed ? SpanStatusCode.ERROR : SpanStatusCode.OK },
    attributes: {
      ...finished.attributes,
      'spanwise.span.status': status,
      ...(errorType === '' ? {} : { 'error.type': errorType }),
    },
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: 'spanwise' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
