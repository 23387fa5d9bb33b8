import { modelRejected, streamIncomplete } from '../../../domain/model/model-errors.ts';
import type { ModelPart, StopReason } from '../../../domain/model/model-part.ts';
import { estimateUsage, type ModelRequest } from '../../../domain/model/model-request.ts';
import { parseEvent, type StreamedAnswer } from '../wire/answer-stream.ts';
import { lengthOf, type ReportedFigures, reportedUsage } from '../wire/reported-usage.ts';
import { textOf, type WireChunk, type WirePart, type WireUsage } from './google-chunk.ts';
import { streamedError } from './google-errors.ts';
import { keepSignature, type ThoughtSignature } from './thought-signature.ts';

/** Any other reason is a stop. */
const stopReasons: Readonly<Record<string, StopReason>> = {
  MAX_TOKENS: 'length',
  CONTINUATION: 'length',
  SAFETY: 'content-filter',
  RECITATION: 'content-filter',
  LANGUAGE: 'content-filter',
  BLOCKLIST: 'content-filter',
  PROHIBITED_CONTENT: 'content-filter',
  SPII: 'content-filter',
  MODEL_ARMOR: 'content-filter',
  IMAGE_SAFETY: 'content-filter',
  IMAGE_PROHIBITED_CONTENT: 'content-filter',
  IMAGE_RECITATION: 'content-filter',
};
/** The model said something that the service could not make sense of. It may do better when it is asked again. */
const garbled = new Set(['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'MALFORMED_RESPONSE']);

/** Turns the chunks of one answer into parts. Kinds of parts that it does not know are left out. */
export class GoogleAnswer implements StreamedAnswer {
  readonly #providerId: string;
  readonly #request: ModelRequest;
  #open: 'text' | 'reasoning' | undefined;
  #calls = 0;
  #length = 0;
  #usage: WireUsage | undefined;
  #finishReason = '';
  /** The prompt was refused: there is no candidate that could have a reason. */
  #isBlocked = false;

  constructor(providerId: string, request: ModelRequest) {
    this.#providerId = providerId;
    this.#request = request;
  }

  get isFinished(): boolean {
    return this.#finishReason !== '';
  }

  accept(data: string): readonly ModelPart[] {
    const parts: ModelPart[] = [];
    const chunk: WireChunk = parseEvent(data);
    if (chunk.error !== undefined && chunk.error !== null) {
      throw streamedError(chunk.error);
    }
    this.#usage = chunk.usageMetadata ?? this.#usage;
    const candidate = chunk.candidates?.[0];
    const said = candidate?.content?.parts;
    for (const part of Array.isArray(said) ? (said as readonly (WirePart | null)[]) : []) {
      this.#take(part ?? {}, parts);
    }
    this.#length += lengthOf(parts);
    const blockReason = textOf(chunk.promptFeedback?.blockReason);
    this.#isBlocked ||= blockReason !== '';
    this.#finishReason = textOf(candidate?.finishReason) || blockReason || this.#finishReason;
    return parts;
  }

  end(): readonly ModelPart[] {
    const raw = this.#finishReason;
    if (!this.isFinished || garbled.has(raw)) {
      throw streamIncomplete(raw === '' ? 'the stream ended without a stop reason' : `it ended with ${raw}`);
    }
    if (raw === 'MISSING_THOUGHT_SIGNATURE') {
      throw modelRejected('the dialogue lacks a thought signature.');
    }
    const parts: ModelPart[] = [];
    this.#close(parts);
    const estimate = estimateUsage(this.#providerId, this.#request, this.#length);
    parts.push(
      { type: 'usage', usage: reportedUsage(figuresOf(this.#usage), estimate) },
      { type: 'finish', reason: this.#reason(), raw },
    );
    return parts;
  }

  #reason(): StopReason {
    if (this.#isBlocked) {
      return 'content-filter';
    }
    return stopReasons[this.#finishReason] ?? (this.#calls > 0 ? 'tool-calls' : 'stop');
  }

  #take(part: WirePart, parts: ModelPart[]): void {
    const signature = textOf(part.thoughtSignature);
    if (part.functionCall !== undefined && part.functionCall !== null) {
      this.#keep({ on: 'call', signature }, parts);
      this.#call(part.functionCall, parts);
    } else if (part.thought === true) {
      this.#append('reasoning', textOf(part.text), parts);
      this.#keep({ on: 'thought', signature }, parts);
    } else if (typeof part.text === 'string') {
      this.#append('text', part.text, parts);
      this.#keep({ on: part.text === '' ? 'empty-text' : 'text', signature }, parts);
    }
  }

  /** Calls come whole; the ids that some have are not needed, because ours take their place. */
  #call({ name, args }: NonNullable<WirePart['functionCall']>, parts: ModelPart[]): void {
    this.#close(parts);
    this.#calls += 1;
    const call = { id: `call-${this.#calls}`, name: textOf(name) };
    const argumentsJson = typeof args === 'string' ? args : JSON.stringify(args ?? {});
    parts.push(
      { type: 'tool-call-start', ...call },
      { type: 'tool-call-delta', id: call.id, text: argumentsJson },
      { type: 'tool-call-end', ...call, argumentsJson },
    );
  }

  #append(kind: 'text' | 'reasoning', text: string, parts: ModelPart[]): void {
    if (text === '') {
      return;
    }
    if (this.#open !== kind) {
      this.#close(parts);
      this.#open = kind;
      parts.push({ type: `${kind}-start` });
    }
    parts.push({ type: `${kind}-delta`, text });
  }

  #keep(kept: ThoughtSignature, parts: ModelPart[]): void {
    if (kept.signature === '') {
      return;
    }
    if (this.#open !== 'reasoning' || kept.on !== 'thought') {
      this.#close(parts);
      parts.push({ type: 'reasoning-start' });
    }
    parts.push({ type: 'reasoning-end', providerState: keepSignature(this.#providerId, kept) });
    this.#open = undefined;
  }

  #close(parts: ModelPart[]): void {
    if (this.#open !== undefined) {
      parts.push({ type: `${this.#open}-end` });
      this.#open = undefined;
    }
  }
}

/** Thoughts are counted apart from what is said. */
function figuresOf(usage: WireUsage | undefined): ReportedFigures | undefined {
  return (
    usage && {
      input: sumOf(usage.promptTokenCount, usage.toolUsePromptTokenCount),
      output: sumOf(usage.candidatesTokenCount, usage.thoughtsTokenCount),
      cached: usage.cachedContentTokenCount,
      reasoning: usage.thoughtsTokenCount,
    }
  );
}

/** Undefined when nothing is said; not a number when one of them is nonsense. */
function sumOf(...figures: readonly unknown[]): number | undefined {
  const said = figures.filter((figure) => figure !== undefined && figure !== null);
  const isSane = said.every((figure) => typeof figure === 'number' && figure >= 0);
  if (said.length === 0) {
    return undefined;
  }
  return isSane ? said.reduce<number>((sum, figure) => sum + Number(figure), 0) : Number.NaN;
}
