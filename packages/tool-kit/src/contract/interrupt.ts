import type { CallId } from '@spanwise/kernel';

/**
 * What is asked of the user: `question`, something of a tool's own; `auth`, to sign in, because a disk does not take the
 * token that the call came with; `approval`, whether the call may be executed.
 */
export type InterruptKind = 'question' | 'auth' | 'approval';

/** The call that is to be approved: exactly this tool, version and arguments. */
export interface Approval {
  readonly tool: string;
  /** For people. */
  readonly title: string;
  readonly toolVersion: string;
  /** As the model gave them. */
  readonly argumentsJson: string;
  /** Digest of tool, version and arguments. */
  readonly argsHash: string;
  /** What the call touches. */
  readonly targets: readonly string[];
  /** The rule that asks; empty = the tool's default. */
  readonly rule: string;
}

/** What a call waits for: something that only the owner of the session can answer. */
export interface Interrupt {
  /** UUID v7, unique in the session. */
  readonly id: string;
  readonly kind: InterruptKind;
  readonly callId: CallId;
  /** For people: what is asked, at most 64 KiB. */
  readonly message: string;
  /** JSON Schema (2020-12) of the answer, as JSON text. */
  readonly schemaJson: string;
  /** When the run goes on without an answer: milliseconds since 1970 UTC. */
  readonly expiresAtMs: number;
  /** What is to be approved; with kind `approval` only. */
  readonly approval?: Approval;
}

/** What became of an interrupt. */
export interface InterruptAnswer {
  readonly interruptId: string;
  /** JSON text; empty when expired. */
  readonly answerJson: string;
  /** True when nobody answered in time. */
  readonly isExpired: boolean;
  /** `uid` of who answered; empty when expired. */
  readonly answeredBy: string;
}
