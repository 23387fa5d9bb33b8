import type { SessionId } from '@spanwise/kernel';
import type { AgentEvent, EventData } from '../domain/event/agent-event.ts';
import { closedBlock, type DeltaCase, deltaData, deltaOf, openedBlock, utf8Length } from '../domain/event/delta.ts';
import type { LivePosition, Published } from './published.ts';
import { Subscription } from './subscription.ts';

/** The driver's side: shows what its run says. */
export interface Publisher {
  publish(entries: readonly Published[]): void;
  /** The driver has let go of the session. */
  close(): void;
}

/** Joins the drivers and the watchers of the sessions of this process. A driver never waits for a watcher. */
export class SessionHub {
  readonly #channels = new Map<SessionId, Channel>();
  readonly #subscriptions = new Map<SessionId, Set<Subscription>>();

  /** Called by the driver of a session before it writes; events up to `lastSeq` are in the log. */
  open(sessionId: SessionId, lastSeq: number): Publisher {
    const channel = new Channel(lastSeq);
    this.#channels.set(sessionId, channel);
    // What the start of the run has committed is news for those who watch already.
    this.tellLastSeq(sessionId, lastSeq);
    return {
      publish: (entries) => {
        if (entries.length > 0) {
          channel.note(entries);
          this.#subscriptions.get(sessionId)?.forEach((subscription) => subscription.push(entries));
        }
      },
      close: () => {
        if (this.#channels.get(sessionId) === channel) {
          this.#channels.delete(sessionId);
        }
      },
    };
  }

  subscribe(sessionId: SessionId): Subscription {
    const all = this.#subscriptions.get(sessionId) ?? new Set();
    this.#subscriptions.set(sessionId, all);
    const subscription = new Subscription(
      () => this.#channels.get(sessionId)?.position(),
      () => {
        all.delete(subscription);
        if (all.size === 0 && this.#subscriptions.get(sessionId) === all) {
          this.#subscriptions.delete(sessionId);
        }
      },
    );
    all.add(subscription);
    return subscription;
  }

  /** Sessions that are watched here and driven elsewhere, or not at all. */
  watchedElsewhere(): readonly SessionId[] {
    return [...this.#subscriptions.keys()].filter((sessionId) => !this.#channels.has(sessionId));
  }

  /** Tells watchers how far the log of a session has grown without being shown here. */
  tellLastSeq(sessionId: SessionId, lastSeq: number): void {
    this.#subscriptions.get(sessionId)?.forEach((subscription) => subscription.tellLastSeq(lastSeq));
  }
}

interface Tail {
  readonly deltaCase: DeltaCase;
  /** Where the text that is not stored begins. */
  offset: number;
  text: string;
  last: AgentEvent | undefined;
}

class Channel {
  #lastSeq: number;
  readonly #tails = new Map<string, Tail>();

  constructor(lastSeq: number) {
    this.#lastSeq = lastSeq;
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
      last === undefined ? [] : [asDelta(last, deltaData(deltaCase, { blockId, offset, text }))],
    );
    return { lastSeq: this.#lastSeq, tails };
  }

  #noteBlock(event: AgentEvent): void {
    const opened = openedBlock(event.data);
    if (opened !== undefined) {
      this.#tails.set(opened.blockId, { deltaCase: opened.deltaCase, offset: 0, text: '', last: undefined });
      return;
    }
    const delta = deltaOf(event.data);
    const tail = delta === undefined ? undefined : this.#tails.get(delta.blockId);
    if (delta === undefined || tail === undefined) {
      this.#tails.delete(closedBlock(event.data) ?? '');
    } else if (event.seq === 0n) {
      tail.text += delta.text;
      tail.last = event;
    } else {
      // A chunk: it stores the text from `offset` on, all of which has been shown.
      tail.offset = delta.offset + utf8Length(delta.text);
      tail.text = tail.text.slice(delta.text.length);
    }
  }
}

/** Another delta of the same block. Not a copy of the event: one from the wire has marks that would not fit new data. */
function asDelta({ sessionId, runId, epoch, span }: AgentEvent, data: EventData): AgentEvent {
  return { seq: 0n, sessionId, runId, epoch, span, time: undefined, data };
}
