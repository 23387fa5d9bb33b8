import type { ExecSpan } from '@spanwise/kernel';
import { type EventData, inThread, type UnplacedEvent } from './agent-event.ts';
import { closedBlock, type DeltaCase, deltaData, deltaOf, openedBlock, utf8Length } from './delta.ts';

/** Bytes of text after which a block's deltas are stored as one chunk, without waiting for its time. */
const chunkBytes = 2048;

interface OpenBlock {
  readonly deltaCase: DeltaCase;
  /** Bytes said so far. */
  length: number;
  /** Text said since the last chunk, and its length in bytes. */
  pending: string;
  pendingBytes: number;
  span: ExecSpan | undefined;
  readonly threadId?: string;
}

/** A chunk: the text of a block since its last chunk, as one durable delta. */
export interface Chunk {
  readonly span: ExecSpan | undefined;
  readonly threadId?: string;
  readonly data: EventData;
  /** Its length in UTF-8 bytes. */
  readonly bytes: number;
}

/** The blocks of a run that are open, with the text of each that is not stored yet. */
export class OpenBlocks {
  readonly #blocks = new Map<string, OpenBlock>();

  /** Takes note of an event. Answers the chunk that has to be stored: before an END, or after a delta when it is due. */
  note({ span, threadId, data }: UnplacedEvent): Chunk | undefined {
    const opened = openedBlock(data);
    if (opened !== undefined) {
      const { blockId, deltaCase } = opened;
      this.#blocks.set(blockId, { deltaCase, length: 0, pending: '', pendingBytes: 0, span, ...inThread(threadId) });
      return undefined;
    }
    const delta = deltaOf(data);
    const block = delta === undefined ? undefined : this.#blocks.get(delta.blockId);
    if (delta !== undefined && block !== undefined) {
      const bytes = utf8Length(delta.text);
      block.length += bytes;
      block.pending += delta.text;
      block.pendingBytes += bytes;
      block.span = span;
      return block.pendingBytes >= chunkBytes ? this.takeChunk(delta.blockId) : undefined;
    }
    const closed = closedBlock(data);
    if (closed === undefined) {
      return undefined;
    }
    const last = this.takeChunk(closed);
    this.#blocks.delete(closed);
    return last;
  }

  /** The chunk of a block; undefined when it has no new text. */
  takeChunk(blockId: string): Chunk | undefined {
    const block = this.#blocks.get(blockId);
    if (block === undefined || block.pending === '') {
      return undefined;
    }
    const { pending: text, pendingBytes: bytes } = block;
    block.pending = '';
    block.pendingBytes = 0;
    return {
      span: block.span,
      ...inThread(block.threadId),
      bytes,
      data: deltaData(block.deltaCase, { blockId, offset: block.length - bytes, text }),
    };
  }

  /** Chunks of all blocks that have new text. */
  takeChunks(): readonly Chunk[] {
    return [...this.#blocks.keys()].map((id) => this.takeChunk(id)).filter((chunk) => chunk !== undefined);
  }

  hasPending(): boolean {
    return [...this.#blocks.values()].some(({ pending }) => pending !== '');
  }

  /** The END of every open block, with the span of its last delta. */
  endings(): readonly Omit<Chunk, 'bytes'>[] {
    return [...this.#blocks].map(([blockId, { deltaCase, length, span, threadId }]) => ({
      span,
      ...inThread(threadId),
      data: endData(blockId, deltaCase, length),
    }));
  }
}

function endData(blockId: string, deltaCase: DeltaCase, length: number): EventData {
  switch (deltaCase) {
    case 'textDelta':
      return { case: 'textEnd', value: { blockId, length: BigInt(length) } };
    case 'reasoningDelta':
      return { case: 'reasoningEnd', value: { blockId, length: BigInt(length) } };
    case 'toolCallDelta':
      // The arguments are not complete: what was said of them is void with its message.
      return { case: 'toolCallEnd', value: { callId: blockId, argumentsJson: '' } };
  }
}
