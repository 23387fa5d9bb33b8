import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import type { ModelPart } from '../../../domain/model/model-part.ts';

type InputStart = Extract<LanguageModelV4StreamPart, { type: 'tool-input-start' }>;
type InputDelta = Extract<LanguageModelV4StreamPart, { type: 'tool-input-delta' }>;
type WholeCall = Extract<LanguageModelV4StreamPart, { type: 'tool-call' }>;

/** A call that is being streamed. */
interface StreamedCall {
  /** Ours, unique in the stream: the model's may be used twice. */
  readonly id: string;
  readonly wireId: string;
  readonly name: string;
  argumentsJson: string;
  isOpen: boolean;
}

/** Turns the inputs of calls, streamed or whole, into parts. Only a `tool-call` ends one: until then it may be cut. */
export class AiSdkCalls {
  readonly #calls: StreamedCall[] = [];

  get count(): number {
    return this.#calls.length;
  }

  start({ id, toolName }: Pick<InputStart, 'id' | 'toolName'>, parts: ModelPart[]): StreamedCall {
    const ours = `call-${this.#calls.length + 1}`;
    const call = { id: ours, wireId: id, name: toolName, argumentsJson: '', isOpen: true };
    this.#calls.push(call);
    parts.push({ type: 'tool-call-start', id: ours, name: toolName });
    return call;
  }

  delta({ id, delta }: InputDelta, parts: ModelPart[]): void {
    const call = this.#open(id);
    if (call !== undefined) {
      append(call, delta, parts);
    }
  }

  /** The whole call: what of its input was not streamed is said now. Returns its place among the calls, from 0. */
  whole({ toolCallId, toolName, input }: WholeCall, parts: ModelPart[]): number {
    const call = this.#open(toolCallId) ?? this.start({ id: toolCallId, toolName }, parts);
    if (input.startsWith(call.argumentsJson)) {
      append(call, input.slice(call.argumentsJson.length), parts);
    }
    close(call, parts);
    return this.#calls.indexOf(call);
  }

  endAll(parts: ModelPart[]): void {
    for (const call of this.#calls) {
      close(call, parts);
    }
  }

  #open(wireId: string): StreamedCall | undefined {
    return this.#calls.findLast((call) => call.isOpen && call.wireId === wireId);
  }
}

function append(call: StreamedCall, text: string, parts: ModelPart[]): void {
  if (text !== '') {
    call.argumentsJson += text;
    parts.push({ type: 'tool-call-delta', id: call.id, text });
  }
}

function close(call: StreamedCall, parts: ModelPart[]): void {
  if (call.isOpen) {
    const { id, name, argumentsJson } = call;
    call.isOpen = false;
    parts.push({ type: 'tool-call-end', id, name, argumentsJson });
  }
}
