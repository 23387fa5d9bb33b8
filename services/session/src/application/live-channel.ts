import type { AgentEvent } from '../domain/event/agent-event.ts';
import { closedBlock, type DeltaCase, deltaOf, openedBlock, utf8Length } from '../domain/event/delta.ts';
import { deltaCaseOf, type LivePosition, liveDelta, type Published } from './published.ts';
import type { Subscription } from './subscription.ts';

interface Tail {
  readonly deltaCase: DeltaCase;
  /** Where the text that is not stored begins. */
  offset: number;
  text: string;
  last: AgentEvent | undefined;
}

/** What the driver of a session has shown: how far the log is, and the text that is not stored yet. */
export class LiveChannel {
  /** False when it is what another replica's driver shows. */
  readonly isDrivenHere: boolean;
  /** Other replicas that want all that is shown. */
  readonly peers = new Set<Subscription>();
  #lastSeq: number;
  readonly #tails = new Map<string, Tail>();

  constructor({ lastSeq, tails }: LivePosition, isDrivenHere: boolean) {
    this.isDrivenHere = isDrivenHere;
    this.#lastSeq = lastSeq;
    tails.forEach((event) => this.#noteBlock(event));
  }

  note(entries: readonly Published[]): void {
    for (const { event } of entries) {
      if (event.seq > 0n) {
        this.#lastSeq = Number(event.seq);
      }
      this.#noteBlock(event);
    }
  }

  position(): LivePosition {
    const open = [...this.#tails].filter(([, { text }]) => text !== '');
    const tails = open.flatMap(([blockId, { deltaCase, offset, text, last }]) =>
      last === undefined ? [] : [liveDelta(last, deltaCase, { blockId, offset, text })],
    );
    return { lastSeq: this.#lastSeq, tails };
  }

  /** Nothing more is shown: other replicas hear of it after what waits for them. */
  end(): void {
    this.peers.forEach((peer) => peer.handOff());
    this.peers.clear();
  }

  #noteBlock(event: AgentEvent): void {
    const opened = openedBlock(event.data);
    if (opened !== undefined) {
      this.#tails.set(opened.blockId, { deltaCase: opened.deltaCase, offset: 0, text: '', last: undefined });
      return;
    }
    const delta = deltaOf(event.data);
    if (delta !== undefined) {
      this.#noteDelta(event, delta);
    } else if (event.data.case === 'runAttempt') {
      // It abandons every message that is not complete.
      this.#tails.clear();
    } else {
      this.#tails.delete(closedBlock(event.data) ?? '');
    }
  }

  #noteDelta(event: AgentEvent, delta: { readonly blockId: string; readonly offset: number; readonly text: string }) {
    const tail = this.#tails.get(delta.blockId);
    const deltaCase = deltaCaseOf(event);
    if (event.seq > 0n) {
      // A chunk: it stores the text from `offset` on, all of which has been shown.
      if (tail !== undefined) {
        tail.offset = delta.offset + utf8Length(delta.text);
        tail.text = tail.text.slice(delta.text.length);
      }
    } else if (tail !== undefined) {
      tail.text += delta.text;
      tail.last = event;
    } else if (deltaCase !== undefined) {
      // Of another replica's driver only the text that is not stored is known, so this is where that begins.
      this.#tails.set(delta.blockId, { deltaCase, offset: delta.offset, text: delta.text, last: event });
    }
  }
}
