import type { TokenUsage } from './token-usage.ts';

/**
 * What a model says, piece by piece. Blocks of text and reasoning follow one another; blocks of tool calls may overlap
 * and are told apart by `id`, which is unique in the stream. `usage` and `finish` come once, last, in this order.
 */
export type ModelPart =
  | { readonly type: 'text-start' }
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'text-end' }
  | { readonly type: 'reasoning-start' }
  | { readonly type: 'reasoning-delta'; readonly text: string }
  | { readonly type: 'reasoning-end'; readonly providerState?: Uint8Array }
  | { readonly type: 'tool-call-start'; readonly id: string; readonly name: string }
  | { readonly type: 'tool-call-delta'; readonly id: string; readonly text: string }
  | {
      readonly type: 'tool-call-end';
      readonly id: string;
      readonly name: string;
      /** The deltas joined: the complete arguments as the model gave them. */
      readonly argumentsJson: string;
    }
  | { readonly type: 'usage'; readonly usage: TokenUsage }
  | { readonly type: 'finish'; readonly reason: StopReason; readonly raw: string };

/** Why a model stopped: at its own end, to have tools executed, at its token limit, or because of a filter. */
export type StopReason = 'stop' | 'tool-calls' | 'length' | 'content-filter';
