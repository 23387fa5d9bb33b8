import { unreachable } from '@spanwise/kernel';
import { type PartContent, role } from '../domain/message/message.ts';
import type { RunEventData } from '../domain/run/run-event.ts';
import { OpenBlock, type Piece } from './open-block.ts';

/** One block of a message that is being streamed: what is said of it, and the part that it becomes. */
export class StreamedBlock {
  readonly kind: 'text' | 'reasoning' | 'toolCall';
  /** Id of the block; of a call, the call id. */
  readonly id: string;
  readonly content = new OpenBlock();
  isOpen = true;
  /** Of reasoning: sent back with the next call. */
  providerState = new Uint8Array();
  readonly #tool: string;

  constructor(kind: StreamedBlock['kind'], id: string, tool: string) {
    this.kind = kind;
    this.id = id;
    this.#tool = tool;
  }

  /** An empty text is no content; reasoning may be empty when its provider wants only its state back. */
  get hasContent(): boolean {
    return this.kind === 'toolCall' || this.content.length > 0 || this.providerState.length > 0;
  }

  start(messageId: string): RunEventData {
    switch (this.kind) {
      case 'text':
        return { case: 'textStart', value: { blockId: this.id, messageId, role: role.assistant } };
      case 'reasoning':
        return { case: 'reasoningStart', value: { blockId: this.id, messageId } };
      case 'toolCall':
        return { case: 'toolCallStart', value: { callId: this.id, tool: this.#tool, messageId } };
      default:
        return unreachable(this.kind);
    }
  }

  delta({ offset, text }: Piece): RunEventData {
    switch (this.kind) {
      case 'text':
        return { case: 'textDelta', value: { blockId: this.id, offset, text } };
      case 'reasoning':
        return { case: 'reasoningDelta', value: { blockId: this.id, offset, text } };
      case 'toolCall':
        return { case: 'toolCallDelta', value: { callId: this.id, offset, text } };
      default:
        return unreachable(this.kind);
    }
  }

  end(): RunEventData {
    const value = { blockId: this.id, length: BigInt(this.content.length) };
    switch (this.kind) {
      case 'text':
        return { case: 'textEnd', value };
      case 'reasoning':
        return { case: 'reasoningEnd', value };
      case 'toolCall':
        return { case: 'toolCallEnd', value: { callId: this.id, argumentsJson: this.content.text } };
      default:
        return unreachable(this.kind);
    }
  }

  part(): PartContent {
    const { text } = this.content;
    switch (this.kind) {
      case 'text':
        return { case: 'text', value: { text } };
      case 'reasoning':
        return { case: 'reasoning', value: { text, providerState: this.providerState } };
      case 'toolCall':
        return { case: 'toolCall', value: { callId: this.id, tool: this.#tool, argumentsJson: text } };
      default:
        return unreachable(this.kind);
    }
  }
}
