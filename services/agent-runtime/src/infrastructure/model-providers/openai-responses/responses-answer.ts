import { streamIncomplete } from '../../../domain/model/model-errors.ts';
import type { ModelPart, StopReason } from '../../../domain/model/model-part.ts';
import { estimateUsage, type ModelRequest } from '../../../domain/model/model-request.ts';
import { parseEvent, type StreamedAnswer } from '../wire/answer-stream.ts';
import { encodeState } from '../wire/provider-state.ts';
import { lengthOf, type ReportedFigures, reportedUsage } from '../wire/reported-usage.ts';
import { streamedError } from '../wire/streamed-error.ts';
import { ResponsesCalls } from './responses-calls.ts';
import { textOf, type WireEvent, type WireItem, type WireResponse, type WireUsage } from './responses-event.ts';

/** Why a response is incomplete; any other reason is a stop. */
const incompleteReasons: Readonly<Record<string, StopReason>> = {
  max_output_tokens: 'length',
  content_filter: 'content-filter',
};

/** Turns the events of one response into parts. Types of events that it does not know are left out. */
export class ResponsesAnswer implements StreamedAnswer {
  readonly #providerId: string;
  readonly #request: ModelRequest;
  readonly #calls = new ResponsesCalls();
  #open: 'text' | 'reasoning' | undefined;
  /** Whether something of the open part of an item was streamed: then its whole, which follows, says nothing new. */
  #hasStreamed = false;
  /** Between two summaries of one item of reasoning. */
  #needsGap = false;
  #length = 0;
  #response: WireResponse | undefined;

  constructor(providerId: string, request: ModelRequest) {
    this.#providerId = providerId;
    this.#request = request;
  }

  get isFinished(): boolean {
    return this.#response !== undefined;
  }

  accept(data: string): readonly ModelPart[] {
    const parts: ModelPart[] = [];
    const event: WireEvent = parseEvent(data);
    switch (event.type) {
      case 'response.output_item.added':
        this.#startItem(event.item ?? {}, event.output_index, parts);
        break;
      case 'response.output_item.done':
        this.#endItem(event.item ?? {}, event.output_index, parts);
        break;
      case 'response.function_call_arguments.delta':
        this.#calls.delta(event, parts);
        break;
      case 'response.function_call_arguments.done':
        this.#calls.whole(event, parts);
        break;
      case 'response.completed':
      case 'response.incomplete':
        this.#response = event.response ?? {};
        this.#endAll(parts);
        break;
      case 'response.failed':
        throw streamedError(event.response?.error ?? {});
      case 'error':
        throw streamedError(event.error ?? event);
      default:
        this.#say(event, parts);
    }
    this.#length += lengthOf(parts);
    return parts;
  }

  end(): readonly ModelPart[] {
    const response = this.#response;
    if (response === undefined) {
      throw streamIncomplete('the stream ended without a stop reason');
    }
    const estimate = estimateUsage(this.#providerId, this.#request, this.#length);
    return [
      { type: 'usage', usage: reportedUsage(figuresOf(response.usage), estimate) },
      { type: 'finish', ...this.#stop(response) },
    ];
  }

  #stop({ incomplete_details: details, status }: WireResponse): { readonly reason: StopReason; readonly raw: string } {
    const raw = textOf(details?.reason);
    if (raw !== '') {
      return { reason: incompleteReasons[raw] ?? 'stop', raw };
    }
    return { reason: this.#calls.count > 0 ? 'tool-calls' : 'stop', raw: textOf(status) || 'completed' };
  }

  /** Text, refusals and reasoning. */
  #say({ type, delta, text, refusal }: WireEvent, parts: ModelPart[]): void {
    switch (type) {
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        this.#append('text', textOf(delta), parts);
        break;
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        this.#append('reasoning', textOf(delta), parts);
        break;
      case 'response.output_text.done':
      case 'response.refusal.done':
        this.#appendWhole('text', textOf(text) || textOf(refusal), parts);
        break;
      case 'response.reasoning_summary_text.done':
      case 'response.reasoning_text.done':
        this.#appendWhole('reasoning', textOf(text), parts);
        this.#needsGap = true;
        break;
      default:
    }
  }

  #startItem(item: WireItem, index: unknown, parts: ModelPart[]): void {
    this.#close(parts);
    if (item.type === 'function_call') {
      this.#calls.start(item, index, parts);
    }
  }

  #endItem(item: WireItem, index: unknown, parts: ModelPart[]): void {
    if (item.type === 'function_call') {
      this.#close(parts);
      this.#calls.end(item, index, parts);
    } else if (item.type === 'reasoning') {
      this.#endReasoning(item, parts);
    } else {
      this.#close(parts);
    }
  }

  /** Without its encrypted content an item of reasoning means nothing to a server that stores nothing. */
  #endReasoning(item: WireItem, parts: ModelPart[]): void {
    const isKept = textOf(item.encrypted_content) !== '';
    if (this.#open !== 'reasoning' && isKept) {
      this.#start('reasoning', parts);
    }
    if (this.#open === 'reasoning') {
      const kept = isKept ? { providerState: encodeState(this.#providerId, item) } : {};
      parts.push({ type: 'reasoning-end', ...kept });
      this.#open = undefined;
    }
  }

  #append(kind: 'text' | 'reasoning', text: string, parts: ModelPart[]): void {
    if (text === '') {
      return;
    }
    const isSame = this.#open === kind;
    if (!isSame) {
      this.#start(kind, parts);
    }
    const said = isSame && this.#needsGap ? `\n\n${text}` : text;
    this.#needsGap = false;
    this.#hasStreamed = true;
    parts.push({ type: `${kind}-delta`, text: said });
  }

  /** The whole of what may have been streamed. */
  #appendWhole(kind: 'text' | 'reasoning', text: string, parts: ModelPart[]): void {
    if (!this.#hasStreamed) {
      this.#append(kind, text, parts);
    }
    this.#hasStreamed = false;
  }

  #start(kind: 'text' | 'reasoning', parts: ModelPart[]): void {
    this.#close(parts);
    this.#open = kind;
    parts.push({ type: `${kind}-start` });
  }

  #endAll(parts: ModelPart[]): void {
    this.#close(parts);
    this.#calls.endAll(parts);
  }

  #close(parts: ModelPart[]): void {
    this.#hasStreamed = false;
    this.#needsGap = false;
    if (this.#open !== undefined) {
      parts.push({ type: `${this.#open}-end` });
      this.#open = undefined;
    }
  }
}

function figuresOf(usage: WireUsage | null | undefined): ReportedFigures | undefined {
  if (usage === undefined || usage === null) {
    return undefined;
  }
  return {
    input: usage.input_tokens,
    output: usage.output_tokens,
    cached: usage.input_tokens_details?.cached_tokens,
    reasoning: usage.output_tokens_details?.reasoning_tokens,
  };
}
