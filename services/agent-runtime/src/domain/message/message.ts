/** Who a message is from. The numbers are those of `spanwise.type.v1.Role`, so that messages need no translation. */
export const role = { system: 1, user: 2, assistant: 3, tool: 4 } as const;
export type Role = (typeof role)[keyof typeof role];

/** How a tool call ended; the numbers are those of `spanwise.type.v1.ToolOutcome`. */
export const toolOutcome = { ok: 1, error: 2, cancelled: 3, timeout: 4, unknown: 5, notStarted: 6 } as const;
export type ToolOutcome = (typeof toolOutcome)[keyof typeof toolOutcome];

/** A complete entry of the model context: `spanwise.type.v1.Message` without what session adds when it stores it. */
export interface Message {
  /** UUID v7, equal to the message_id of its events. */
  readonly id: string;
  readonly role: Role;
  /** In order; at least one. */
  readonly parts: readonly Part[];
  /** The run that it was made in. */
  readonly runId: string;
}

/** A piece of a message. */
export interface Part {
  readonly part: PartContent;
}

export type PartContent =
  | { readonly case: 'text'; readonly value: TextPart }
  | { readonly case: 'reasoning'; readonly value: ReasoningPart }
  | { readonly case: 'toolCall'; readonly value: ToolCallPart }
  | { readonly case: 'toolResult'; readonly value: ToolResultPart };

export interface TextPart {
  readonly text: string;
}

export interface ReasoningPart {
  /** Empty when the provider hides it. */
  readonly text: string;
  /** Sent back unchanged with the next call; may be empty. */
  readonly providerState: Uint8Array;
}

export interface ToolCallPart {
  /** UUID v7, unique in the run. */
  readonly callId: string;
  /** As the model gave it: it may name no tool. */
  readonly tool: string;
  /** As the model gave it: it may be no JSON. */
  readonly argumentsJson: string;
}

export interface ToolResultPart {
  readonly callId: string;
  readonly outcome: ToolOutcome;
  /** What the model is shown; at least one. */
  readonly content: readonly ToolContent[];
  /** JSON text; empty when there is none. */
  readonly structuredJson: string;
  /** Reason of the error; empty when there is none. */
  readonly code: string;
  /** Undefined when the output is whole. */
  readonly truncated?: ToolTruncation | undefined;
}

/** An output that was longer than its tool's limits. */
export interface ToolTruncation {
  /** UTF-8. */
  readonly shownBytes: bigint;
  readonly totalBytes: bigint;
  /** File that has the whole; empty when it is not kept. */
  readonly fullPath: string;
}

export interface ToolContent {
  readonly content: { readonly case: 'text'; readonly value: string };
}

/** The calls that a message asks for, in order. */
export function callsOf(message: Message | undefined): readonly ToolCallPart[] {
  return message?.parts.flatMap(({ part }) => (part.case === 'toolCall' ? [part.value] : [])) ?? [];
}

/** The one message that answers all calls of the message before it. */
export function toolMessage(id: string, runId: string, results: readonly ToolResultPart[]): Message {
  return { id, role: role.tool, runId, parts: results.map((value) => ({ part: { case: 'toolResult', value } })) };
}
