import type { ModelPart } from '../../../domain/model/model-part.ts';
import { textOf, type WireEvent, type WireItem } from './responses-event.ts';

/** A call that is being streamed. */
interface StreamedCall {
  /** Ours, unique in the stream: the server's may be missing or used twice. */
  readonly id: string;
  readonly itemId: string;
  readonly index: unknown;
  readonly name: string;
  argumentsJson: string;
  isOpen: boolean;
}

/** Tells which call an event belongs to, whatever the server leaves out, and turns events into parts. */
export class ResponsesCalls {
  readonly #calls: StreamedCall[] = [];

  get count(): number {
    return this.#calls.length;
  }

  /** The item of a call begins. */
  start(item: WireItem, index: unknown, parts: ModelPart[]): StreamedCall {
    const call = {
      id: `call-${this.#calls.length + 1}`,
      itemId: textOf(item.id),
      index,
      name: textOf(item.name),
      argumentsJson: '',
      isOpen: true,
    };
    this.#calls.push(call);
    parts.push({ type: 'tool-call-start', id: call.id, name: call.name });
    this.#append(call, textOf(item.arguments), parts);
    return call;
  }

  delta(event: WireEvent, parts: ModelPart[]): void {
    const call = this.#find(textOf(event.item_id), event.output_index);
    if (call !== undefined) {
      this.#append(call, textOf(event.delta), parts);
    }
  }

  /** The whole arguments: what of them was not streamed is said now. */
  whole(event: WireEvent, parts: ModelPart[]): void {
    const call = this.#find(textOf(event.item_id), event.output_index);
    if (call !== undefined) {
      this.#complete(call, textOf(event.arguments), parts);
    }
  }

  /** The item of a call is done; servers that stream nothing of it begin with this. */
  end(item: WireItem, index: unknown, parts: ModelPart[]): void {
    const call = this.#find(textOf(item.id), index) ?? this.start({ ...item, arguments: '' }, index, parts);
    this.#complete(call, textOf(item.arguments), parts);
    this.#close(call, parts);
  }

  /** Ends the calls that are open, in the order in which they came. */
  endAll(parts: ModelPart[]): void {
    for (const call of this.#calls) {
      this.#close(call, parts);
    }
  }

  /** By the id of its item, or else by its place in the answer; without both it is the last one. */
  #find(itemId: string, index: unknown): StreamedCall | undefined {
    const open = this.#calls.filter(({ isOpen }) => isOpen);
    const same = itemId === '' ? undefined : open.findLast((call) => call.itemId === itemId);
    if (same !== undefined) {
      return same;
    }
    if (typeof index === 'number') {
      return open.findLast((call) => call.index === index);
    }
    const last = open.at(-1);
    return itemId === '' || last?.itemId === '' ? last : undefined;
  }

  #append(call: StreamedCall, text: string, parts: ModelPart[]): void {
    if (text !== '') {
      call.argumentsJson += text;
      parts.push({ type: 'tool-call-delta', id: call.id, text });
    }
  }

  #complete(call: StreamedCall, argumentsJson: string, parts: ModelPart[]): void {
    if (argumentsJson.startsWith(call.argumentsJson)) {
      this.#append(call, argumentsJson.slice(call.argumentsJson.length), parts);
    }
  }

  #close(call: StreamedCall, parts: ModelPart[]): void {
    if (call.isOpen) {
      const { id, name, argumentsJson } = call;
      call.isOpen = false;
      parts.push({ type: 'tool-call-end', id, name, argumentsJson });
    }
  }
}
