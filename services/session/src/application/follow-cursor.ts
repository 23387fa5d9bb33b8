import type { RunId, SessionId } from '@spanwise/kernel';
import type { AgentEvent } from '../domain/event/agent-event.ts';
import { isTerminal } from '../domain/event/delta.ts';
import type { Published } from './published.ts';

export interface FollowQuery {
  readonly sessionId: SessionId;
  /** Events with a greater seq; must lie within the log. */
  readonly afterSeq: number;
  /** Only events of this run. */
  readonly runId?: RunId;
  /** Ends after the terminal event of `runId`, or when nothing is known of it after its RUN_WAITING. */
  readonly endsWithRun: boolean;
  /** The run waits, and its RUN_WAITING may lie before `afterSeq`. Default false. */
  readonly isWaiting?: boolean;
  /** False: durable events only, with their whole text. */
  readonly live: boolean;
}

/** How far a stream is, and what of a session passes into it: nothing twice, nothing after the end. */
export class FollowCursor {
  seq: number;
  isEnded = false;
  readonly #query: FollowQuery;
  /** Epoch of the last durable event: what a driver of an earlier one still shows is void. */
  #epoch = 0n;
  /** Whether the last that is known of the run is that it waits. */
  #isWaiting: boolean;

  constructor(query: FollowQuery) {
    this.#query = query;
    this.seq = query.afterSeq;
    this.#isWaiting = query.isWaiting ?? false;
  }

  skipTo(seq: number): void {
    this.seq = Math.max(this.seq, seq);
  }

  /** Passes rows of the log, which may be those of one run only. Answers what is to be told. */
  passRows(rows: readonly AgentEvent[]): AgentEvent[] {
    const told: AgentEvent[] = [];
    for (const event of rows) {
      if (event.seq > this.seq && !this.isEnded) {
        this.#take(event);
        told.push(event);
      }
    }
    return told;
  }

  /** Passes live deltas whose place is known. Answers what is to be told. */
  passTails(tails: readonly AgentEvent[]): AgentEvent[] {
    return tails.filter((event) => this.#query.live && this.#isAsked(event) && event.epoch >= this.#epoch);
  }

  /** Passes what a driver shows, up to the first durable event before which others are missing: then `hasHole`. */
  passShown(entries: readonly Published[]): { readonly told: AgentEvent[]; readonly hasHole: boolean } {
    const { live } = this.#query;
    const told: AgentEvent[] = [];
    for (const { event, elided } of entries) {
      const seq = Number(event.seq);
      if (seq === 0) {
        if (live && event.epoch >= this.#epoch && this.#isAsked(event)) {
          told.push(event);
        }
      } else if (seq > this.seq) {
        if (seq > this.seq + 1) {
          return { told, hasHole: true };
        }
        this.#take(event);
        if (this.#isAsked(event)) {
          told.push(live && elided !== undefined ? elided : event);
        }
        if (this.isEnded) {
          break;
        }
      }
    }
    return { told, hasHole: false };
  }

  /** Called when everything that is known was passed: a run that waits says nothing more for a while. */
  endIfWaiting(): void {
    this.isEnded ||= this.#query.endsWithRun && this.#isWaiting;
  }

  #isAsked({ runId }: AgentEvent): boolean {
    return this.#query.runId === undefined || runId === this.#query.runId;
  }

  #take(event: AgentEvent): void {
    this.skipTo(Number(event.seq));
    if (event.epoch > this.#epoch) {
      this.#epoch = event.epoch;
    }
    if (this.#query.endsWithRun && event.runId === this.#query.runId) {
      this.#isWaiting = event.data.case === 'runWaiting';
      this.isEnded = isTerminal(event);
    }
  }
}
