import { hash } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { type AgentEvent, AgentEventSchema } from '@spanwise/contracts/spanwise/event/v1/event';
import { BlockText } from './block-text.ts';

export interface ClientViewOptions {
  readonly client: string;
  readonly uid: string;
  readonly sessionId: string;
  /**
   * `exact`: a raw stream, whose durable events can be compared with the table byte for byte. `told`: through the SDK, which
   * tells text once and empties what repeats it, so that only the seqs of deltas can be compared.
   */
  readonly form: 'exact' | 'told';
}

/** What a client makes of a durable event that it can not compare in full. */
export const notCompared = '';

type Delta = { readonly offset: bigint; readonly text: string; readonly elidedBytes: bigint };

/** What one client knows of a session: the durable events that it saw, over all reconnects, and the text of the blocks. */
export class ClientView {
  readonly client: string;
  readonly uid: string;
  readonly sessionId: string;
  /** Digest of each durable event by its seq. */
  readonly durable = new Map<number, string>();
  /** Blocks whose START it saw, except those that were abandoned. */
  readonly blocks = new Map<string, BlockText>();
  /** Sessions that events said they were of, when it was another one than was asked for. */
  readonly strangers = new Set<string>();
  /** Durable events that came again with another content, or behind a later one. */
  readonly faults: string[] = [];
  /** Seqs of the run that it is to have seen completely; undefined = the whole session up to what it saw last. */
  runId: string | undefined;
  /** True once it has seen everything that it asked for. */
  isComplete = false;
  #cursor = 0;
  readonly #isExact: boolean;
  readonly #committed = new Set<string>();

  constructor({ client, uid, sessionId, form }: ClientViewOptions) {
    this.client = client;
    this.uid = uid;
    this.sessionId = sessionId;
    this.#isExact = form === 'exact';
  }

  /** Where to go on after a break. */
  get cursor(): number {
    return this.#cursor;
  }

  /** Takes an event. False: text before it is missing, so the stream has to be opened again. */
  accept(event: AgentEvent): boolean {
    if (event.sessionId !== this.sessionId) {
      this.strangers.add(event.sessionId);
    }
    const restored = this.#applyText(event);
    if (restored === undefined) {
      return false;
    }
    if (event.seq > 0n) {
      this.#keep(Number(event.seq), restored);
    }
    this.#follow(event);
    return true;
  }

  #keep(seq: number, event: AgentEvent): void {
    const isDelta = event.data.case?.endsWith('Delta') === true;
    const digest = !this.#isExact && isDelta ? notCompared : digestOf(event);
    const known = this.durable.get(seq);
    if (known !== undefined && known !== digest) {
      this.faults.push(`seq ${seq} came twice with different content`);
    } else if (known === undefined && seq <= this.#cursor) {
      this.faults.push(`seq ${seq} came after ${this.#cursor}`);
    }
    this.durable.set(seq, digest);
    this.#cursor = Math.max(this.#cursor, seq);
  }

  /** The event with its whole text; undefined when there is a hole. */
  #applyText(event: AgentEvent): AgentEvent | undefined {
    const { data } = event;
    switch (data.case) {
      case 'textDelta':
      case 'reasoningDelta':
        return this.#applyDelta(event, data.value.blockId, data.value);
      case 'toolCallDelta':
        return this.#applyDelta(event, data.value.callId, data.value);
      default:
        return event;
    }
  }

  #applyDelta(event: AgentEvent, blockId: string, delta: Delta): AgentEvent | undefined {
    const block = this.blocks.get(blockId);
    if (block === undefined) {
      // It came later than the block's beginning.
      return event;
    }
    const text = block.apply(delta);
    return text === undefined ? undefined : withText(event, text);
  }

  #follow({ data }: AgentEvent): void {
    switch (data.case) {
      case 'textStart':
      case 'reasoningStart':
        this.#open(data.value.blockId, data.value.messageId);
        break;
      case 'toolCallStart':
        this.#open(data.value.callId, data.value.messageId);
        break;
      case 'message':
        this.#committed.add(data.value.messageId);
        break;
      case 'messageAbandoned':
        this.#drop((messageId) => messageId === data.value.messageId);
        break;
      case 'runAttempt':
        this.#drop((messageId) => !this.#committed.has(messageId));
        break;
      default:
        break;
    }
  }

  #open(blockId: string, messageId: string): void {
    if (!this.blocks.has(blockId)) {
      this.blocks.set(blockId, new BlockText(messageId));
    }
  }

  #drop(isVoid: (messageId: string) => boolean): void {
    for (const [id, { messageId }] of this.blocks) {
      if (isVoid(messageId)) {
        this.blocks.delete(id);
      }
    }
  }
}

/** What tells one durable event from another: a digest of its bytes. */
export function digestOf(event: AgentEvent): string {
  return hash('sha1', toBinary(AgentEventSchema, event), 'base64');
}

function withText(event: AgentEvent, text: string): AgentEvent {
  const { data } = event;
  if (data.case !== 'textDelta' && data.case !== 'reasoningDelta' && data.case !== 'toolCallDelta') {
    return event;
  }
  const value = { ...data.value, text, elidedBytes: 0n };
  return create(AgentEventSchema, { ...event, data: { case: data.case, value } as AgentEvent['data'] });
}
