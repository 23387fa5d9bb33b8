import { invariantBroken } from '@spanwise/kernel';
import type { AgentEvent } from '../../src/domain/event/agent-event.ts';
import { deltaOf } from '../../src/domain/event/delta.ts';

/** Puts the text of blocks together by the rule of offsets, as every client does. */
export class TextReader {
  readonly #blocks = new Map<string, Buffer>();

  apply(events: readonly AgentEvent[]): this {
    for (const { data } of events) {
      const delta = deltaOf(data);
      if (delta !== undefined && data.value !== undefined && 'elidedBytes' in data.value) {
        this.#applyDelta(delta.blockId, delta.offset, delta.text, Number(data.value.elidedBytes));
      }
    }
    return this;
  }

  get texts(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#blocks].map(([id, bytes]) => [id, bytes.toString()]));
  }

  #applyDelta(blockId: string, offset: number, text: string, elidedBytes: number): void {
    const have = this.#blocks.get(blockId) ?? Buffer.alloc(0);
    if (offset > have.length || offset + elidedBytes > have.length) {
      throw invariantBroken(`a hole in ${blockId}: ${offset} + ${elidedBytes} is beyond ${have.length}`);
    }
    const news = Buffer.from(text).subarray(have.length - offset);
    this.#blocks.set(blockId, Buffer.concat([have, news]));
  }
}
