export { type Clock, systemClock } from './clock.ts';
export { concurrently } from './concurrently.ts';
export {
  DomainError,
  type DomainErrorOptions,
  type ErrorFacts,
  type ErrorKind,
  excerpt,
  type FieldViolation,
  invariantBroken,
  unreachable,
} from './domain-error.ts';
export {
  type ExecSpan,
  type ExecSpanContext,
  loggedSpans,
  type OpenSpan,
  type SpanAttributes,
  type SpanEnd,
  type SpanEvent,
  type SpanKind,
  type SpanStatus,
  type Spans,
} from './exec-span.ts';
export {
  type Branded,
  brandId,
  type CallId,
  type IdGenerator,
  type MessageId,
  type RunId,
  randomIds,
  type SessionId,
  type Uid,
} from './ids.ts';
