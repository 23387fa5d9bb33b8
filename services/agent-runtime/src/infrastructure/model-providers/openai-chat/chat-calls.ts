import type { ModelPart } from '../../../domain/model/model-part.ts';
import { textOf, type WireCall } from './chat-chunk.ts';

/** A call that is being streamed. */
interface StreamedCall {
  /** Ours, unique in the stream: the server's may be missing or used twice. */
  readonly id: string;
  readonly wireIndex: unknown;
  readonly wireId: string;
  name: string;
  argumentsJson: string;
  isStarted: boolean;
}

/** Tells which call a fragment belongs to, whatever the server leaves out, and turns fragments into parts. */
export class ChatCalls {
  readonly #calls: StreamedCall[] = [];
  #count = 0;

  accept(fragment: WireCall, parts: ModelPart[]): void {
    const call = this.#find(fragment) ?? this.#add(fragment);
    const added = argumentsOf(fragment);
    call.argumentsJson += added;
    if (call.isStarted) {
      pushDelta(call, added, parts);
      return;
    }
    // The name comes first; a server that sends it later has its arguments wait for it.
    call.name = textOf(fragment.function?.name);
    if (call.name !== '') {
      start(call, parts);
    }
  }

  /** Ends all calls, in the order in which they came. */
  end(parts: ModelPart[]): void {
    for (const call of this.#calls) {
      if (!call.isStarted) {
        start(call, parts);
      }
      const { id, name, argumentsJson } = call;
      parts.push({ type: 'tool-call-end', id, name, argumentsJson });
    }
    this.#calls.length = 0;
  }

  /**
   * By index, unless the id says that it is another call: some servers number all calls 0. Without an index by id.
   * Without both it goes on with the last call, unless it has a name of its own.
   */
  #find({ index, id, function: wire }: WireCall): StreamedCall | undefined {
    const wireId = textOf(id);
    if (typeof index === 'number') {
      const sameIndex = this.#calls.findLast((call) => call.wireIndex === index);
      const isSame = wireId === '' || sameIndex?.wireId === '' || sameIndex?.wireId === wireId;
      return isSame ? sameIndex : undefined;
    }
    if (wireId !== '') {
      return this.#calls.findLast((call) => call.wireId === wireId);
    }
    return textOf(wire?.name) === '' ? this.#calls.at(-1) : undefined;
  }

  #add({ index, id }: WireCall): StreamedCall {
    this.#count += 1;
    const call = {
      id: `call-${this.#count}`,
      wireIndex: index,
      wireId: textOf(id),
      name: '',
      argumentsJson: '',
      isStarted: false,
    };
    this.#calls.push(call);
    return call;
  }
}

function start(call: StreamedCall, parts: ModelPart[]): void {
  const { id, name, argumentsJson } = call;
  call.isStarted = true;
  parts.push({ type: 'tool-call-start', id, name });
  pushDelta(call, argumentsJson, parts);
}

function pushDelta({ id }: StreamedCall, text: string, parts: ModelPart[]): void {
  if (text !== '') {
    parts.push({ type: 'tool-call-delta', id, text });
  }
}

/** Some servers send the arguments as the object that they stand for. */
function argumentsOf({ function: wire }: WireCall): string {
  const value = wire?.arguments;
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : textOf(value);
}
