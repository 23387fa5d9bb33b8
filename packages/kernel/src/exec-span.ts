/** A node of the execution tree. `id` is the OpenTelemetry span id (16 hex digits), `par` the parent's, empty at the root. */
export interface ExecSpan {
  readonly id: string;
  readonly par: string;
}

/** Where in a trace something happens: what is opened here becomes a child of `span`. */
export interface ExecSpanContext {
  readonly span: ExecSpan;
  /** 32 hex digits. */
  readonly traceId: string;
  /** W3C trace flags: bit 0 = sampled, which means exported. Spans are logged in any case. */
  readonly traceFlags: number;
}

export type SpanKind = 'run' | 'turn' | 'model' | 'tool' | 'file';
export type SpanStatus = 'ok' | 'error' | 'cancelled' | 'abandoned';

/** Attributes by name; never content of messages, arguments or files. */
export type SpanAttributes = Readonly<Record<string, string>>;

/** What the log is told when a span is opened or closed. */
export type SpanEvent =
  | {
      readonly type: 'span-start';
      readonly span: ExecSpan;
      readonly timeMs: number;
      readonly kind: SpanKind;
      readonly name: string;
      readonly traceId: string;
      readonly attributes: SpanAttributes;
    }
  | {
      readonly type: 'span-end';
      readonly span: ExecSpan;
      readonly timeMs: number;
      readonly status: SpanStatus;
      /** Low-cardinality class of the failure; empty unless status is `error`. */
      readonly errorType: string;
      readonly attributes: SpanAttributes;
    };

export interface SpanEnd {
  readonly status: SpanStatus;
  readonly errorType?: string;
  readonly attributes?: SpanAttributes;
}

/** A span that was opened and has to be ended exactly once. */
export interface OpenSpan {
  readonly context: ExecSpanContext;
  /** Ends it; a second call does nothing. */
  end(end: SpanEnd): void;
}

/** Opens spans and tells the log about them, sampled or not. */
export interface Spans {
  start(parent: ExecSpanContext, kind: SpanKind, name: string, attributes?: SpanAttributes): OpenSpan;
}

export interface SpansDeps {
  readonly ids: { spanId(): string };
  readonly clock: { nowMs(): number };
  /** Receives each event synchronously, in order. */
  readonly emit: (event: SpanEvent) => void;
}

/** Spans whose events go to `emit`. */
export function loggedSpans({ ids, clock, emit }: SpansDeps): Spans {
  return {
    start(parent, kind, name, attributes = {}) {
      const span: ExecSpan = { id: ids.spanId(), par: parent.span.id };
      const { traceId, traceFlags } = parent;
      emit({ type: 'span-start', span, timeMs: clock.nowMs(), kind, name, traceId, attributes });
      let isOpen = true;
      return {
        context: { span, traceId, traceFlags },
        end({ status, errorType = '', attributes: endAttributes = {} }) {
          if (isOpen) {
            isOpen = false;
            emit({ type: 'span-end', span, timeMs: clock.nowMs(), status, errorType, attributes: endAttributes });
          }
        },
      };
    },
  };
}
