import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';

/** Text of a block is missing: the stream has to be opened again at its cursor. */
export const hole = Symbol('hole');

/**
 * Makes deltas exact: each byte of a block is told once, in order, though a stream carries text live and once more as
 * stored chunks, and a stream that is opened again repeats some of it.
 */
export class DeltaFilter {
  readonly #have = new Map<string, number>();

  /** The event with only the text that is new; undefined when nothing is; {@link hole} when text before it is missing. */
  pass(event: AgentEvent): AgentEvent | typeof hole | undefined {
    const { data } = event;
    switch (data.case) {
      case 'textStart':
      case 'reasoningStart':
        this.#have.set(data.value.blockId, 0);
        return event;
      case 'toolCallStart':
        this.#have.set(data.value.callId, 0);
        return event;
      case 'textDelta':
      case 'reasoningDelta':
        return this.#trim(event, data.value.blockId, data.value);
      case 'toolCallDelta':
        return this.#trim(event, data.value.callId, data.value);
      case 'textEnd':
      case 'reasoningEnd':
        this.#have.delete(data.value.blockId);
        return event;
      case 'toolCallEnd':
        this.#have.delete(data.value.callId);
        return event;
      case 'runAttempt':
        // What was open belongs to messages that are void now.
        this.#have.clear();
        return event;
      default:
        return event;
    }
  }

  #trim(event: AgentEvent, blockId: string, delta: { offset: bigint; text: string; elidedBytes: bigint }) {
    const offset = Number(delta.offset);
    // A stream that begins in the middle of a block has what lies before it from elsewhere.
    const have = this.#have.get(blockId) ?? offset;
    const bytes = Buffer.from(delta.text);
    if (offset > have || offset + Number(delta.elidedBytes) > have) {
      return bytes.length === 0 && delta.elidedBytes === 0n ? event : hole;
    }
    const known = have - offset;
    if (bytes.length <= known) {
      // Stored chunks have a seq: they are told, though without text, so that the cursor moves on.
      delta.text = '';
      return event.seq > 0n ? event : undefined;
    }
    this.#have.set(blockId, offset + bytes.length);
    if (known > 0) {
      delta.text = bytes.subarray(known).toString();
      delta.offset = BigInt(have);
    }
    return event;
  }
}
