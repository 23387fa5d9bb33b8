import { fromBinary } from '@bufbuild/protobuf';
import type { HistoryFrame } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { MessageSchema } from '@spanwise/contracts/spanwise/type/v1/message';
import { contextInvalid } from '../domain/message/context-errors.ts';
import type { LlmContextRepository } from '../domain/message/llm-context-repository.ts';
import type { Message } from '../domain/message/message.ts';
import { invalidFrame } from './start-frame.ts';

/** The stored dialogue, as the driver sends it after the start. */
export class StreamedContext implements LlmContextRepository {
  readonly #messages: Message[] = [];
  readonly #loaded = Promise.withResolvers<readonly Message[]>();
  #isComplete = false;

  constructor() {
    // Nobody may be waiting yet when it fails.
    this.#loaded.promise.catch(() => undefined);
  }

  load(): Promise<readonly Message[]> {
    return this.#loaded.promise;
  }

  /** Takes a part of it. Throws INVALID_FIELD after the last one. */
  add({ messages, last }: HistoryFrame): void {
    if (this.#isComplete) {
      throw invalidFrame('history', 'came after its last frame');
    }
    this.#isComplete = last;
    try {
      messages.forEach((bytes) => this.#messages.push(decode(bytes)));
    } catch (error) {
      this.#loaded.reject(contextInvalid('a stored message can not be read', '', error));
    }
    if (last) {
      this.#loaded.resolve(this.#messages);
    }
  }
}

/** Same shape as in the domain; what is not, such as a part of a newer service, the context's rules refuse. */
function decode(bytes: Uint8Array): Message {
  return fromBinary(MessageSchema, bytes) as Message;
}
