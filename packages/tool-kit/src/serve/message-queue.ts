import type { ToolProgress } from '../contract/tool-context.ts';
import type { CallMessage } from './provider-mapping.ts';

/** UTF-16 units of output that wait for a reader who is slow. */
const maxWaitingOutput = 64 * 1024;

/**
 * What a tool tells while it is at work. A reader who is slow gets the latest progress only, and the last of the output.
 */
export class MessageQueue {
  readonly #waiting: (ToolProgress | string)[] = [];
  #isClosed = false;
  #changed = Promise.withResolvers<void>();

  progress(progress: ToolProgress): void {
    if (typeof this.#waiting.at(-1) === 'object') {
      this.#waiting.pop();
    }
    this.#add(progress);
  }

  output(text: string): void {
    if (text !== '') {
      const last = this.#waiting.at(-1);
      const before = typeof last === 'string' ? last : '';
      if (before !== '') {
        this.#waiting.pop();
      }
      this.#add((before + text).slice(-maxWaitingOutput).toWellFormed());
    }
  }

  /** Takes nothing more; who reads gets what is left. */
  close(): void {
    this.#isClosed = true;
    this.#changed.resolve();
  }

  /** Everything that is told, until it is closed. */
  async *read(): AsyncGenerator<CallMessage> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        yield toMessage(next);
      } else if (this.#isClosed) {
        return;
      } else {
        await this.#changed.promise;
        this.#changed = this.#isClosed ? this.#changed : Promise.withResolvers();
      }
    }
  }

  #add(told: ToolProgress | string): void {
    if (!this.#isClosed) {
      this.#waiting.push(told);
      this.#changed.resolve();
    }
  }
}

function toMessage(told: ToolProgress | string): CallMessage {
  if (typeof told === 'string') {
    return { message: { case: 'output', value: told } };
  }
  const { done, total = 0, message = '' } = told;
  return { message: { case: 'progress', value: { done, total, message: message.toWellFormed() } } };
}
