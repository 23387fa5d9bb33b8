import type { DomainError } from '@spanwise/kernel';
import type { ModelPart, StopReason } from '../../../domain/model/model-part.ts';
import type { ModelRequest } from '../../../domain/model/model-request.ts';
import { noUsage, type TokenUsage } from '../../../domain/model/token-usage.ts';

/** What a scripted model does with one request. */
export interface ScriptedAnswer {
  /** Says what is wrong with the request; undefined = it is the expected one. Default: any request is. */
  readonly expects?: (request: ModelRequest) => string | undefined;
  /** Played in order. Without a `finish` the answer is incomplete, as when a connection is cut. */
  readonly steps: readonly ScriptedStep[];
}

export type ScriptedStep =
  | ModelPart
  /** Waits, as a slow model does. */
  | { readonly type: 'pause'; readonly until: Promise<unknown> }
  /** Fails, as a provider does. */
  | { readonly type: 'fail'; readonly error: DomainError };

/** A call in a written script. */
export interface ScriptedCall {
  readonly tool: string;
  /** JSON text, in the pieces in which it is streamed. */
  readonly argumentsJson: string | readonly string[];
}

/** Steps that say a text in the given pieces. */
export function text(...pieces: readonly string[]): readonly ScriptedStep[] {
  return [
    { type: 'text-start' },
    ...pieces.map((piece) => ({ type: 'text-delta', text: piece }) as const),
    { type: 'text-end' },
  ];
}

/** Steps that think a text in the given pieces. */
export function reasoning(...pieces: readonly string[]): readonly ScriptedStep[] {
  const deltas = pieces.map((piece) => ({ type: 'reasoning-delta', text: piece }) as const);
  return [{ type: 'reasoning-start' }, ...deltas, { type: 'reasoning-end' }];
}

/** Steps that ask for calls, one after the other. */
export function calls(...asked: readonly ScriptedCall[]): readonly ScriptedStep[] {
  return asked.flatMap(({ tool, argumentsJson }, index): readonly ScriptedStep[] => {
    const id = `scripted-${index}`;
    const pieces = typeof argumentsJson === 'string' ? [argumentsJson] : argumentsJson;
    return [
      { type: 'tool-call-start', id, name: tool },
      ...pieces.map((piece) => ({ type: 'tool-call-delta', id, text: piece }) as const),
      { type: 'tool-call-end', id, name: tool, argumentsJson: pieces.join('') },
    ];
  });
}

/** Steps that end an answer. */
export function finish(reason: StopReason, usage: Partial<TokenUsage> = {}): readonly ScriptedStep[] {
  return [
    { type: 'usage', usage: { ...noUsage, provider: 'scripted', inputTokens: 10n, outputTokens: 5n, ...usage } },
    { type: 'finish', reason, raw: reason },
  ];
}

/** A whole answer of text. */
export function says(...pieces: readonly string[]): ScriptedAnswer {
  return { steps: [...text(...pieces), ...finish('stop')] };
}

/** A whole answer that asks for calls. */
export function asksFor(...asked: readonly ScriptedCall[]): ScriptedAnswer {
  return { steps: [...calls(...asked), ...finish('tool-calls')] };
}
