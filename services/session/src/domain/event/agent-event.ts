import type { ExecSpan } from '@spanwise/kernel';

/**
 * An entry of the log, or a live delta, in the shape of the message `spanwise.event.v1.AgentEvent`: what comes from the
 * runtime is used as it is, for a run makes thousands. Numbers of enums are those of the proto.
 */
export interface AgentEvent {
  /** Place in the log; 0 for live deltas. */
  readonly seq: bigint;
  readonly sessionId: string;
  readonly runId: string;
  readonly epoch: bigint;
  readonly span?: ExecSpan | undefined;
  /** Unset on live deltas. */
  readonly time?: EventTime | undefined;
  /** The dialogue that it belongs to: the id of a delegate call; empty or missing = the main one. */
  readonly threadId?: string;
  readonly data: EventData;
}

/** UTC, as in google.protobuf.Timestamp. */
export interface EventTime {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** What a run says, before it has its place in the log. */
export type UnplacedEvent = Pick<AgentEvent, 'span' | 'time' | 'threadId' | 'data'>;

export type EventData =
  | { readonly case: 'runStart'; readonly value: RunStart }
  | { readonly case: 'runEnd'; readonly value: RunEnd }
  | { readonly case: 'runError'; readonly value: RunError }
  | { readonly case: 'spanStart'; readonly value: SpanStart }
  | { readonly case: 'spanEnd'; readonly value: SpanEnd }
  | { readonly case: 'textStart' | 'reasoningStart'; readonly value: BlockStart }
  | { readonly case: 'textDelta' | 'reasoningDelta'; readonly value: BlockDelta }
  | { readonly case: 'textEnd' | 'reasoningEnd'; readonly value: BlockEnd }
  | { readonly case: 'toolCallStart'; readonly value: ToolCallStart }
  | { readonly case: 'toolCallDelta'; readonly value: ToolCallDelta }
  | { readonly case: 'toolCallEnd'; readonly value: ToolCallEnd }
  | { readonly case: 'toolProgress'; readonly value: { readonly callId: string } }
  | { readonly case: 'toolResult'; readonly value: ToolResult }
  | { readonly case: 'message'; readonly value: MessageCommitted }
  | { readonly case: 'messageAbandoned'; readonly value: MessageAbandoned }
  | { readonly case: 'usage'; readonly value: Usage }
  | { readonly case: 'runAttempt'; readonly value: RunAttempt }
  | { readonly case: 'runWaiting'; readonly value: RunWaiting }
  | { readonly case: 'interrupt'; readonly value: InterruptRaised }
  | { readonly case: 'interruptAnswered'; readonly value: InterruptAnswered }
  | { readonly case: 'outputFile'; readonly value: OutputFile }
  | { readonly case: 'runRolledBack'; readonly value: RunRolledBack }
  | { readonly case: undefined; readonly value?: undefined };

export interface RunStart {
  readonly agent: string;
  readonly attempt: number;
  readonly inputMessageIds: readonly string[];
  readonly traceId: string;
}

export interface RunEnd {
  readonly outcome: number;
  readonly finishReason: number;
  readonly usage?: TokenUsage | undefined;
}

export interface RunError {
  readonly error?: AgentError | undefined;
  readonly usage?: TokenUsage | undefined;
}

export interface AgentError {
  /** google.rpc.Code. */
  readonly code: number;
  /** Number of spanwise.error.v1.ErrorReason. */
  readonly reason: number;
  readonly message: string;
  readonly retryable: boolean;
  /** In the shape of google.protobuf.Duration; undefined when unknown. */
  readonly retryAfter?: { readonly seconds: bigint; readonly nanos: number } | undefined;
}

export interface TokenUsage {
  readonly provider: string;
  readonly model: string;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly cachedInputTokens: bigint;
  readonly reasoningTokens: bigint;
  readonly estimated: boolean;
}

export interface SpanStart {
  readonly kind: number;
  readonly name: string;
  readonly traceId: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly service: string;
}

export interface SpanEnd {
  readonly status: number;
  readonly errorType: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface BlockStart {
  readonly blockId: string;
  readonly messageId: string;
}

/** Offsets and lengths count UTF-8 bytes of the block. */
export interface BlockDelta {
  readonly blockId: string;
  readonly offset: bigint;
  readonly text: string;
  readonly elidedBytes: bigint;
}

export interface BlockEnd {
  readonly blockId: string;
  readonly length: bigint;
}

/** The block of a call's arguments has the id of the call. */
export interface ToolCallStart {
  readonly callId: string;
  readonly tool: string;
  readonly messageId: string;
}

export interface ToolCallDelta {
  readonly callId: string;
  readonly offset: bigint;
  readonly text: string;
  readonly elidedBytes: bigint;
}

export interface ToolCallEnd {
  readonly callId: string;
  readonly argumentsJson: string;
}

export interface ToolResult {
  readonly callId: string;
  readonly outcome: number;
  readonly content: readonly ToolContent[];
  readonly structuredJson: string;
  /** Reason of the error; empty when there is none. */
  readonly code: string;
  /** Undefined when the output is whole. */
  readonly truncated?: ToolTruncation | undefined;
}

/** An output that was longer than its tool's limits. */
export interface ToolTruncation {
  readonly shownBytes: bigint;
  readonly totalBytes: bigint;
  readonly fullPath: string;
}

export interface ToolContent {
  readonly content:
    | { readonly case: 'text'; readonly value: string }
    | { readonly case: undefined; readonly value?: undefined };
}

export interface MessageCommitted {
  readonly messageId: string;
  readonly role: number;
  readonly contextSeq: bigint;
}

export interface MessageAbandoned {
  readonly messageId: string;
  readonly reason: number;
}

export interface Usage {
  readonly usage?: TokenUsage | undefined;
}

export interface RunAttempt {
  readonly attempt: number;
  readonly reason: number;
}

/** Something that only the owner of the session can answer. */
export interface Interrupt {
  readonly id: string;
  readonly kind: number;
  readonly callId: string;
  readonly message: string;
  /** JSON Schema of the answer; empty = any JSON value. */
  readonly schemaJson: string;
  /** In the shape of google.protobuf.Timestamp; undefined = it never expires. */
  readonly expireTime?: EventTime | undefined;
  /** The call that is to be approved; with kind `approval` only. */
  readonly approval?: Approval | undefined;
}

/** A call that is to be approved: exactly this tool, version and arguments. */
export interface Approval {
  readonly tool: string;
  readonly title: string;
  readonly toolVersion: string;
  readonly argumentsJson: string;
  readonly argsHash: string;
  readonly targets: readonly string[];
  /** Empty = the tool's default. */
  readonly rule: string;
}

export interface RunWaiting {
  readonly interrupts: readonly Interrupt[];
}

export interface InterruptRaised {
  readonly interrupt?: Interrupt | undefined;
}

/** What became of an interrupt. */
export interface InterruptAnswer {
  readonly interruptId: string;
  readonly callId: string;
  /** JSON text; empty when expired. */
  readonly answerJson: string;
  readonly expired: boolean;
  /** Empty when expired. */
  readonly answeredBy: string;
}

export interface InterruptAnswered {
  readonly answer?: InterruptAnswer | undefined;
}

/** A file under an output mount that the run has published. */
export interface OutputFile {
  /** Absolute, in the view of the run. */
  readonly path: string;
  /** Bytes. */
  readonly size: bigint;
  readonly etag: string;
  readonly mediaType: string;
}

/** What was taken back of a run. */
export interface RunRolledBack {
  /** First and last message of the run in the context; 0 when it has none. */
  readonly firstContextSeq: bigint;
  readonly lastContextSeq: bigint;
  /** Files, directories and deletions that were dropped. */
  readonly fileChanges: number;
  /** They were published before, and stay. */
  readonly filesPublished: boolean;
}

/** Numbers of the proto's enums that the session itself writes. */
export const role = { user: 2, assistant: 3, tool: 4 } as const;
export const runOutcome = { completed: 1, cancelled: 2 } as const;
export const finishReason = { cancelled: 5 } as const;
export const spanKind = { run: 1, tool: 4, file: 5 } as const;
export const spanStatus = { ok: 1, error: 2, cancelled: 3, abandoned: 4 } as const;
export const toolOutcome = { cancelled: 3, unknown: 5, notStarted: 6 } as const;
export const abandonReason = { runEnded: 2 } as const;
export const attemptReason = { driverLost: 1, executorLost: 2, drained: 3, resumed: 4 } as const;
/**
 * `auth`: the user is to sign in, because a disk does not take the token that the run has. `approval`: whether a call may be
 * executed.
 */
export const interruptKind = { question: 1, auth: 2, approval: 3 } as const;
export const spanServiceName = 'session';

/** What an event of a dialogue has more than others: nothing in the main one. */
export function inThread(threadId: string | undefined): Pick<AgentEvent, 'threadId'> {
  return threadId === undefined || threadId === '' ? {} : { threadId };
}

/** Time of an event. */
export function eventTime(ms: number): EventTime {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

/** Milliseconds since 1970 UTC of an event's time. */
export function eventTimeMs(time: EventTime | undefined): number {
  return time === undefined ? 0 : Number(time.seconds) * 1000 + time.nanos / 1e6;
}
