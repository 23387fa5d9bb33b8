import type {
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
  SharedV4ProviderMetadata,
} from '@ai-sdk/provider';
import { modelUnavailable, streamIncomplete } from '../../../domain/model/model-errors.ts';
import type { ModelPart, StopReason } from '../../../domain/model/model-part.ts';
import { estimateUsage, type ModelRequest } from '../../../domain/model/model-request.ts';
import { lengthOf, type ReportedFigures, reportedUsage } from '../wire/reported-usage.ts';
import { AiSdkCalls } from './ai-sdk-calls.ts';
import { streamedError } from './ai-sdk-errors.ts';
import { type KeptMetadata, keepMetadata } from './ai-sdk-state.ts';

type Finish = Extract<LanguageModelV4StreamPart, { type: 'finish' }>;
type Block = Extract<
  LanguageModelV4StreamPart,
  { type: 'text-start' | 'text-delta' | 'text-end' | 'reasoning-start' | 'reasoning-delta' | 'reasoning-end' }
>;

/** Turns the parts of one answer into ours. Kinds of parts that it does not know are left out. */
export class AiSdkAnswer {
  readonly #providerId: string;
  readonly #request: ModelRequest;
  readonly #calls = new AiSdkCalls();
  #open: 'text' | 'reasoning' | undefined;
  /** Of the open block: the last that came, as the AI SDK has it. */
  #metadata: SharedV4ProviderMetadata | undefined;
  #length = 0;
  #finish: Finish | undefined;

  constructor(providerId: string, request: ModelRequest) {
    this.#providerId = providerId;
    this.#request = request;
  }

  get isFinished(): boolean {
    return this.#finish !== undefined;
  }

  /** The parts of a part. Throws what the model says went wrong. */
  accept(part: LanguageModelV4StreamPart): readonly ModelPart[] {
    const parts: ModelPart[] = [];
    switch (part.type) {
      case 'tool-input-start':
        this.#close(parts);
        if (part.providerExecuted !== true && part.inputEncoding !== 'text') {
          this.#calls.start(part, parts);
        }
        break;
      case 'tool-input-delta':
        this.#calls.delta(part, parts);
        break;
      case 'tool-call':
        if (part.providerExecuted !== true) {
          this.#close(parts);
          const place = this.#calls.whole(part, parts);
          this.#keep(part.providerMetadata && { on: 'call', place, metadata: part.providerMetadata }, parts);
        }
        break;
      case 'finish':
        this.#finish = part;
        this.#close(parts);
        this.#calls.endAll(parts);
        break;
      case 'error':
        throw streamedError(part.error);
      default:
        this.#say(part, parts);
    }
    this.#length += lengthOf(parts);
    return parts;
  }

  /** The last parts. Throws STREAM_INCOMPLETE when the stream ended before the model did. */
  end(): readonly ModelPart[] {
    if (this.#finish === undefined) {
      throw streamIncomplete('the stream ended without a stop reason');
    }
    const { finishReason, usage } = this.#finish;
    const finish = this.#stop(finishReason);
    const estimate = estimateUsage(this.#providerId, this.#request, this.#length);
    return [
      { type: 'usage', usage: reportedUsage(figuresOf(usage), estimate) },
      { type: 'finish', ...finish },
    ];
  }

  /** Providers that were not told why the model stopped say `other` without what it stands for. */
  #stop({ unified, raw }: LanguageModelV4FinishReason): { readonly reason: StopReason; readonly raw: string } {
    if (unified === 'interrupted' || (unified === 'other' && raw === undefined)) {
      throw streamIncomplete('the stream ended without a stop reason');
    }
    if (unified === 'error') {
      throw modelUnavailable(`it ended with ${raw ?? 'an error'}`);
    }
    const isCall = this.#calls.count > 0 && (unified === 'stop' || unified === 'other');
    const reason = unified === 'other' ? 'stop' : unified;
    return { reason: isCall ? 'tool-calls' : reason, raw: raw ?? unified };
  }

  #say(part: LanguageModelV4StreamPart, parts: ModelPart[]): void {
    switch (part.type) {
      case 'text-start':
      case 'text-delta':
      case 'text-end':
        this.#block('text', part, parts);
        break;
      case 'reasoning-start':
      case 'reasoning-delta':
      case 'reasoning-end':
        this.#block('reasoning', part, parts);
        break;
      default:
    }
  }

  /** Blocks of a model may overlap; ours follow one another. */
  #block(kind: 'text' | 'reasoning', part: Block, parts: ModelPart[]): void {
    const isEnd = part.type.endsWith('-end');
    const text = 'delta' in part ? part.delta : '';
    const isWorthABlock = text !== '' || (kind === 'reasoning' && part.providerMetadata !== undefined);
    if (this.#open !== kind && isWorthABlock) {
      this.#close(parts);
      this.#open = kind;
      parts.push({ type: `${kind}-start` });
    }
    if (this.#open !== kind) {
      return;
    }
    this.#metadata = part.providerMetadata ?? this.#metadata;
    if (text !== '') {
      parts.push({ type: `${kind}-delta`, text });
    }
    if (isEnd) {
      this.#close(parts);
    }
  }

  #close(parts: ModelPart[]): void {
    const kind = this.#open;
    const metadata = this.#metadata;
    this.#open = undefined;
    this.#metadata = undefined;
    if (kind === 'text') {
      parts.push({ type: 'text-end' });
      this.#keep(metadata && { on: kind, metadata }, parts);
    } else if (kind === 'reasoning') {
      const state = metadata && { providerState: this.#state({ on: kind, metadata }) };
      parts.push({ type: 'reasoning-end', ...state });
    }
  }

  /** Metadata of what can not keep any itself: in an empty block of reasoning after it. */
  #keep(kept: KeptMetadata | undefined, parts: ModelPart[]): void {
    if (kept !== undefined) {
      parts.push({ type: 'reasoning-start' }, { type: 'reasoning-end', providerState: this.#state(kept) });
    }
  }

  #state(kept: KeptMetadata): Uint8Array {
    return keepMetadata(this.#providerId, this.#request.model, kept);
  }
}

function figuresOf(usage: LanguageModelV4Usage | undefined): ReportedFigures | undefined {
  const { inputTokens, outputTokens } = usage ?? {};
  if (inputTokens?.total === undefined && outputTokens?.total === undefined) {
    return undefined;
  }
  return {
    input: inputTokens?.total,
    output: outputTokens?.total,
    cached: inputTokens?.cacheRead,
    reasoning: outputTokens?.reasoning,
  };
}
