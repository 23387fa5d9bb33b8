import type { ArgumentIssue } from './argument-issue.ts';
import type { InterruptKind } from './interrupt.ts';
import type { ProviderToolContext, ToolContext } from './tool-context.ts';

/**
 * Something that a model can ask for. A tool is stateless: everything that it may touch comes with its context.
 *
 * Failures: throw a DomainError whose message tells the model what to do. Anything else that is thrown is a bug: it is
 * logged, and the model is only told that the tool failed.
 */
export interface Tool<Input = unknown, Output = unknown> {
  /** What the model calls it by: 1 to 64 of letters, digits, `_` and `-`; unique. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** For the model: what it does and when to use it. */
  readonly description: string;
  /** Changes when its schema or its meaning does. */
  readonly version: string;
  readonly toolClass: ToolClass;
  readonly effect: ToolEffect;
  readonly input: ToolInput<Input>;
  readonly limits: ToolLimits;
  /** What becomes of a call that no rule of a policy matches; default {@link defaultDecisionOf} its class. */
  readonly defaultDecision?: 'allow' | 'ask';
  /** Where it is from: `builtin` (default), `own` for one that the operator adds, or the name of the server that executes it. */
  readonly source?: string;
  /** What a call touches. Pure: it looks at nothing but the arguments. Default: nothing. */
  targets?(input: Input): readonly ToolTarget[];
  /** Stops soon after `context.signal` aborts; what it answers after that is dropped. */
  execute(input: Input, context: ToolContext): Promise<ToolOutput<Output> | ToolSuspension>;
}

/**
 * A tool that does without what only the host has, so that it can be executed in a process of its own; in the host as well.
 * It has no targets: the host could not look at them, and rules about what a call touches would be passed by.
 */
export interface ProviderTool<Input = unknown, Output = unknown>
  extends Omit<Tool<Input, Output>, 'execute' | 'targets'> {
  /** Tells it from other tools, for the compiler as well. */
  readonly runsApart: true;
  execute(input: Input, context: ProviderToolContext): Promise<ToolOutput<Output> | ToolSuspension>;
}

/** What a tool is about; `own`: something that the operator has added. */
export type ToolClass = 'files' | 'search' | 'interaction' | 'shell' | 'web' | 'delegation' | 'remote' | 'own';

/** Something that a call touches: what the rules of policies are asked about. */
export interface ToolTarget {
  readonly kind: 'path' | 'host' | 'command' | 'other';
  /** An absolute path without `..`; a host name in lower case, with `:port` unless it is the usual one; a whole command. */
  readonly value: string;
  /** `write`: the call may change it. Writers of one path come one after another. */
  readonly access: 'read' | 'write';
  /** Of a path: the call touches all that is below it as well. Default false. */
  readonly isTree?: boolean;
}

/** What becomes of a call that no rule matches, for a tool that does not say. */
export function defaultDecisionOf(toolClass: ToolClass): 'allow' | 'ask' {
  return toolClass === 'shell' || toolClass === 'web' || toolClass === 'remote' ? 'ask' : 'allow';
}

/**
 * What executing a tool does to the world; drives retries and parallelism.
 *
 * - `READ_ONLY` it changes nothing: may run in parallel and again; it can not suspend
 * - `IDEMPOTENT` doing it twice with the same key is doing it once: executed again after a crash
 * - `NON_REPEATABLE` doing it twice is doing it twice: executed at most once
 */
export type ToolEffect = 'READ_ONLY' | 'IDEMPOTENT' | 'NON_REPEATABLE';

/** What a tool takes, whatever library describes it. */
export interface ToolInput<Input> {
  /** JSON Schema (draft 2020-12) of the arguments: an object that allows no other keys. */
  readonly jsonSchema: Readonly<Record<string, unknown>>;
  /** Checks decoded arguments and applies defaults. Never throws. */
  parse(value: unknown): ParsedInput<Input>;
}

export type ParsedInput<Input> =
  | { readonly isValid: true; readonly input: Input }
  | { readonly isValid: false; readonly issues: readonly ArgumentIssue[] };

/** What one call of a tool may use. */
export interface ToolLimits {
  /** Milliseconds; the deadline of the RPC may be nearer. */
  readonly timeoutMs: number;
  /** Lines of text that the model is shown. */
  readonly outputLines: number;
  /** UTF-8 bytes of text that the model is shown. */
  readonly outputBytes: number;
}

/** 30 seconds, 2,000 lines, 50 KB. */
export const defaultToolLimits: ToolLimits = { timeoutMs: 30_000, outputLines: 2000, outputBytes: 50 * 1024 };

/** What a tool answers when it did what it was asked to. */
export interface ToolOutput<Output = unknown> {
  /** For the model. What is over the limits is cut off, and the whole is kept in a file that the model can read. */
  readonly text: string;
  /** What is kept of a text that is too long: its `head` (default), or both `ends`. */
  readonly keeps?: 'head' | 'ends';
  /** The tool did what it could, and the model should take it for a failure: a command that failed, say. */
  readonly isError?: boolean;
  /** With `isError`: what kind of failure, in capital letters and underscores; default `TOOL_FAILED`. */
  readonly code?: string;
  /** Follows the text and is never cut: what is missing and how to get it. */
  readonly notice?: string;
  /** For programs: a JSON value; left out when it is over the limits. */
  readonly structured?: Output;
}

/**
 * What a tool answers when it can not go on without the user. The call waits, if need be for days, in the ledger only; then
 * the tool is executed anew, with the answer in its context. It must have had no effect before.
 */
export interface ToolSuspension {
  readonly suspend: {
    /** `auth` is asked by {@link askToSignIn} only. */
    readonly kind: InterruptKind;
    /** For people: what is asked; cut off at 64 KiB. */
    readonly message: string;
    /** JSON Schema (2020-12) of the answer. */
    readonly schema: Readonly<Record<string, unknown>>;
    /** After this the call goes on without an answer; default 24 hours. */
    readonly expiresInMs?: number;
  };
}
