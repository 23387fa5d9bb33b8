import type { Clock } from '@spanwise/kernel';
import type { ContextRow } from '../domain/context/llm-context.ts';
import { type AgentEvent, eventTime, type UnplacedEvent } from '../domain/event/agent-event.ts';
import { elided } from '../domain/event/delta.ts';
import type { AppendPosition } from '../domain/event/event-log.ts';
import type { Chunk } from '../domain/event/open-blocks.ts';
import type { ClosedSpan } from '../domain/run/open-work.ts';
import type { Published } from './published.ts';

/** What one append stores and what is shown with it, in one order; gives events and rows their places. */
export class AppendBatch {
  readonly durable: AgentEvent[] = [];
  readonly rows: ContextRow[] = [];
  readonly shown: Published[] = [];
  /** What the executor made of the run's options; stored with the run. */
  spec: Uint8Array | undefined;
  /** Spans whose SPAN_END is in this batch. */
  readonly closedSpans: ClosedSpan[] = [];
  readonly #position: AppendPosition;
  readonly #clock: Clock;
  readonly #contextSeqs = new Map<string, bigint>();
  #shownBeforeDurable: number | undefined;

  constructor(position: AppendPosition, clock: Clock) {
    this.#position = position;
    this.#clock = clock;
  }

  /** How many of `shown` come before the first durable event: they need not wait for its commit. */
  get shownAtOnce(): number {
    return this.#shownBeforeDurable ?? this.shown.length;
  }

  /** The append that stores this batch. */
  get append() {
    const spec = this.spec === undefined ? {} : { spec: this.spec };
    return { position: this.#position, events: this.durable, contextRows: this.rows, ...spec };
  }

  addRow(row: ContextRow): void {
    this.rows.push(row);
    this.#contextSeqs.set(row.messageId, BigInt(this.#position.lastContextSeq + this.rows.length));
  }

  addLive(event: UnplacedEvent): void {
    this.shown.push({ event: this.#placed(event, 0n) });
  }

  addChunk({ bytes, ...said }: Chunk): void {
    const event = this.#next({ ...said, time: eventTime(this.#clock.nowMs()) });
    // Whoever watches live has seen the text already.
    this.#addDurable({ event, elided: elided(event, bytes) });
  }

  addDurable(event: UnplacedEvent): void {
    const { data } = event;
    const contextSeq = data.case === 'message' ? this.#contextSeqs.get(data.value.messageId) : undefined;
    const complete =
      data.case === 'message' && contextSeq !== undefined
        ? { ...event, data: { ...data, value: { ...data.value, contextSeq } } }
        : event;
    this.#addDurable({ event: this.#next(complete) });
  }

  #addDurable(published: Published): void {
    this.#shownBeforeDurable ??= this.shown.length;
    this.shown.push(published);
  }

  #next(event: UnplacedEvent): AgentEvent {
    const placed = this.#placed(event, BigInt(this.#position.lastSeq + this.durable.length + 1));
    this.durable.push(placed);
    return placed;
  }

  #placed(event: UnplacedEvent, seq: bigint): AgentEvent {
    const { sessionId, runId, epoch } = this.#position;
    return { ...event, seq, sessionId, runId, epoch: BigInt(epoch) };
  }
}
