import { streamIncomplete } from '../../../domain/model/model-errors.ts';
import type { ModelPart, StopReason } from '../../../domain/model/model-part.ts';
import { estimateUsage, type ModelRequest } from '../../../domain/model/model-request.ts';
import { parseEvent, type StreamedAnswer } from '../wire/answer-stream.ts';
import { type ReportedFigures, reportedUsage } from '../wire/reported-usage.ts';
import { streamedError } from '../wire/streamed-error.ts';
import { ChatCalls } from './chat-calls.ts';
import { textOf, type WireChunk, type WireDelta, type WireUsage } from './chat-chunk.ts';

/** Reasons that servers give beyond OpenAI's own; any other one is a stop. */
const stopReasons: Readonly<Record<string, StopReason>> = {
  stop: 'stop',
  length: 'length',
  max_tokens: 'length',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'content-filter',
};

/** Turns the chunks of one answer into parts. */
export class ChatAnswer implements StreamedAnswer {
  readonly #providerId: string;
  readonly #request: ModelRequest;
  readonly #calls = new ChatCalls();
  #open: 'text' | 'reasoning' | undefined;
  #length = 0;
  #usage: WireUsage | undefined;
  #finishReason = '';

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
    if (typeof chunk.error === 'object' && chunk.error !== null) {
      throw streamedError(chunk.error);
    }
    if (chunk.object === 'error' || typeof chunk.error === 'string') {
      throw streamedError(chunk);
    }
    this.#usage = chunk.usage ?? this.#usage;
    const choice = chunk.choices?.[0];
    if (choice?.delta !== undefined && choice.delta !== null) {
      this.#take(choice.delta, parts);
    }
    const finishReason = textOf(choice?.finish_reason);
    if (finishReason !== '') {
      this.#finishReason = finishReason;
      this.#endAll(parts);
    }
    return parts;
  }

  end(): readonly ModelPart[] {
    if (!this.isFinished) {
      throw streamIncomplete('the stream ended without a stop reason');
    }
    const parts: ModelPart[] = [];
    this.#endAll(parts);
    const estimate = estimateUsage(this.#providerId, this.#request, this.#length);
    parts.push(
      { type: 'usage', usage: reportedUsage(figuresOf(this.#usage), estimate) },
      { type: 'finish', reason: stopReasons[this.#finishReason] ?? 'stop', raw: this.#finishReason },
    );
    return parts;
  }

  #take(delta: WireDelta, parts: ModelPart[]): void {
    this.#append('reasoning', textOf(delta.reasoning_content) || textOf(delta.reasoning), parts);
    this.#append('text', textOf(delta.content) || textOf(delta.refusal), parts);
    for (const fragment of Array.isArray(delta.tool_calls) ? delta.tool_calls : []) {
      this.#close(parts);
      this.#length += textOf(fragment.function?.arguments).length;
      this.#calls.accept(fragment, parts);
    }
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
    this.#length += text.length;
    parts.push({ type: `${kind}-delta`, text });
  }

  #endAll(parts: ModelPart[]): void {
    this.#close(parts);
    this.#calls.end(parts);
  }

  #close(parts: ModelPart[]): void {
    if (this.#open !== undefined) {
      parts.push({ type: `${this.#open}-end` });
      this.#open = undefined;
    }
  }
}

function figuresOf(usage: WireUsage | undefined): ReportedFigures | undefined {
  return (
    usage && {
      input: usage.prompt_tokens,
      output: usage.completion_tokens,
      cached: usage.prompt_tokens_details?.cached_tokens,
      reasoning: usage.completion_tokens_details?.reasoning_tokens,
    }
  );
}
