import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { expect } from 'vitest';

interface Delta {
  readonly offset: bigint;
  readonly text: string;
  readonly elidedBytes: bigint;
}

/** Puts the text of blocks together by the rule of offsets, as every client does. */
export class BlockTexts {
  readonly #blocks = new Map<string, Buffer>();

  apply(events: readonly AgentEvent[]): this {
    events.forEach((event) => this.restore(event));
    return this;
  }

  /** Takes an event in, and answers it with the text that was elided. */
  restore(event: AgentEvent): AgentEvent {
    const delta = deltaOf(event);
    if (delta === undefined) {
      return event;
    }
    const { blockId, value } = delta;
    const have = this.#blocks.get(blockId) ?? Buffer.alloc(0);
    const offset = Number(value.offset);
    const elided = Number(value.elidedBytes);
    const isWhole = offset <= have.length && offset + elided <= have.length;
    expect(isWhole, `a hole in ${blockId}: ${offset} + ${elided} is beyond ${have.length}`).toBe(true);
    const news = Buffer.from(value.text);
    const known = Math.min(news.length, have.length - offset);
    // What was told before is told again as it was.
    expect(news.subarray(0, known).toString()).toBe(have.subarray(offset, offset + known).toString());
    this.#blocks.set(blockId, Buffer.concat([have, news.subarray(known)]));
    const text = elided > 0 ? have.subarray(offset, offset + elided).toString() : value.text;
    return { ...event, data: { ...event.data, value: { ...value, text, elidedBytes: 0n } } } as AgentEvent;
  }

  textOf(blockId: string): string {
    return (this.#blocks.get(blockId) ?? Buffer.alloc(0)).toString();
  }
}

function deltaOf({ data }: AgentEvent): { readonly blockId: string; readonly value: Delta } | undefined {
  switch (data.case) {
    case 'textDelta':
    case 'reasoningDelta':
      return { blockId: data.value.blockId, value: data.value };
    case 'toolCallDelta':
      return { blockId: data.value.callId, value: data.value };
    default:
      return undefined;
  }
}
