import type { ExecSpanContext, OpenSpan, SpanEnd, SpanEvent } from '@spanwise/kernel';
import type { AuditDecision } from '../../domain/audit/audit-entry.ts';
import type { ToolCall } from '../../domain/tool/tool-call.ts';

/** The spans of one call: the tool's own, which is open from the beginning, and those of its file operations below it. */
export interface CallSpans {
  /** The tool's span. */
  readonly context: ExecSpanContext;
  /** Opens the span of a file operation, for example `read file`; after some hundreds of a call it is the tool's own. */
  startFile(name: string, path: string): OpenSpan;
  /** Notes what became of the call before it was executed, for the span's end. */
  judged(decision: AuditDecision): void;
  /** Ends file spans that are still open as cancelled, then the tool's span. */
  end(end: SpanEnd): void;
}

/** Opens the span of a call. Every event of the call's spans goes to `emit`, at once and in order. */
export type StartCallSpans = (call: ToolCall, emit: (event: SpanEvent) => void) => CallSpans;
