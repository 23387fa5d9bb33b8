import { fromBinary } from '@bufbuild/protobuf';
import type { HistoryFrame } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { MessageSchema } from '@spanwise/contracts/spanwise/type/v1/message';
import { contextInvalid } from '../domain/message/context-errors.ts';
import type { LlmContextRepository } from '../domain/message/llm-context-repository.ts';
import type { Message } from '../domain/message/message.ts';
import { invalidFrame } from './start-frame.ts';

/** The stored dialogues, as the driver sends them after the start. */
export class StreamedContext implements LlmContextRepository {
  readonly #threads = new Map<string, Message[]>();
  readonly #loaded = Promise.withResolvers<void>();
  #isComplete = false;

  constructor() {
    // Nobody may be waiting yet when it fails.
    this.#loaded.promise.catch(() => undefined);
  }

  async load(threadId = ''): Promise<readonly Message[]> {
    await this.#loaded.promise;
    return this.#threads.get(threadId) ?? [];
  }

  /** Takes a part of one. Throws INVALID_FIELD after the last one. */
  add({ messages, last, threadId, threadMessages }: HistoryFrame): void {
    if (this.#isComplete) {
      throw invalidFrame('history', 'came after its last frame');
    }
    this.#isComplete = last;
    try {
      this.#add('', messages);
      this.#add(threadId, threadMessages);
    } catch (error) {
      this.#loaded.reject(contextInvalid('a stored message can not be read', '', error));
    }
    if (last) {
      this.#loaded.resolve();
    }
  }

  #add(threadId: string, messages: readonly Uint8Array[]): void {
    if (messages.length > 0) {
      this.#threads.set(threadId, [...(this.#threads.get(threadId) ?? []), ...messages.map(decode)]);
    }
  }
}

/** Same shape as in the domain; what is not, such as a part of a newer service, the context's rules refuse. */
function decode(bytes: Uint8Array): Message {
  return fromBinary(MessageSchema, bytes) as Message;
}
