import type { ClosedSpan } from '../../domain/run/open-work.ts';

/** Takes spans of the log once their SPAN_END is committed, and exports them when their trace is sampled. */
export interface SpanExporter {
  export(span: ClosedSpan, traceFlags: number): void;
  /** Trace flags of a new trace: 1 = its spans are exported. */
  traceFlags(traceId: string): number;
}
