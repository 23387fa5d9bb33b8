import type { RunId, SessionId } from '@spanwise/kernel';
import type { AgentEvent } from '../domain/event/agent-event.ts';
import { isTerminal } from '../domain/event/delta.ts';
import type { EventLog } from '../domain/event/event-log.ts';
import { bytesAtMost } from '../domain/event/event-size.ts';
import type { LivePosition, Published } from './published.ts';
import type { SessionHub } from './session-hub.ts';
import { sizeGroups } from './size-groups.ts';
import type { Subscription, Taken } from './subscription.ts';

/** Silence after which a sign of life is sent. */
const heartbeatMs = 10_000;
const replayPage = 500;

export interface FollowQuery {
  readonly sessionId: SessionId;
  /** Events with a greater seq; must lie within the log. */
  readonly afterSeq: number;
  /** Only events of this run. */
  readonly runId?: RunId;
  /** Ends after the terminal event of `runId`. */
  readonly endsWithRun: boolean;
  /** False: durable events only, with their whole text. */
  readonly live: boolean;
}

/** A step of a watcher's stream. */
export type FollowStep =
  | { readonly kind: 'events'; readonly events: readonly AgentEvent[] }
  | { readonly kind: 'caught-up'; readonly seq: number }
  | { readonly kind: 'heartbeat'; readonly lastSeq: number };

export interface FollowDeps {
  readonly log: EventLog;
  readonly hub: SessionHub;
}

/**
 * One log, replayed and live: rows after the cursor, then the text that is shown and not stored yet, then what the driver
 * shows. A watcher that falls behind, or whose session is driven elsewhere, is brought up from the rows again. No event
 * is told twice and none is left out, whatever the cursor.
 */
export async function* followLog(
  { log, hub }: FollowDeps,
  query: FollowQuery,
  signal: AbortSignal,
): AsyncGenerator<FollowStep, void> {
  using subscription = hub.subscribe(query.sessionId);
  using silence = new Silence();
  const cursor = new Cursor(query);
  let isFirst = true;
  while (!signal.aborted && !cursor.isEnded) {
    const position = await beginAnew(subscription, log, query.sessionId);
    yield* replay(log, query, cursor, position.lastSeq, signal);
    subscription.hasRead(position.lastSeq);
    if (query.live && !cursor.isEnded) {
      yield* told(cursor.pass(position.tails.map((event) => ({ event }))));
    }
    if (isFirst && !cursor.isEnded) {
      isFirst = false;
      yield { kind: 'caught-up', seq: cursor.seq };
    }
    yield* live(subscription, cursor, silence, signal);
  }
}

/** Where the rows end and the queue begins: at what the driver has shown, or, when none is here, at the log's end. */
async function beginAnew(subscription: Subscription, log: EventLog, sessionId: SessionId): Promise<LivePosition> {
  for (;;) {
    const position = subscription.restart();
    if (position !== undefined) {
      return position;
    }
    const lastSeq = (await log.lastSeqs([sessionId])).get(sessionId) ?? 0;
    // What a driver has shown meanwhile may be in the rows as well: then it is the driver's position that counts.
    if (!subscription.hasWaiting) {
      return { lastSeq, tails: [] };
    }
  }
}

/** Events as steps that fit into one message each. */
function* told(events: readonly AgentEvent[]): Generator<FollowStep, void> {
  for (const group of sizeGroups(events, bytesAtMost)) {
    yield { kind: 'events', events: group };
  }
}

async function* replay(log: EventLog, query: FollowQuery, cursor: Cursor, untilSeq: number, signal: AbortSignal) {
  const { sessionId, runId } = query;
  while (cursor.seq < untilSeq && !cursor.isEnded && !signal.aborted) {
    const filter = runId === undefined ? {} : { runId };
    const events = await log.read({ sessionId, afterSeq: cursor.seq, untilSeq, limit: replayPage, ...filter });
    yield* told(cursor.pass(events.map((event) => ({ event }))));
    if (events.length < replayPage) {
      cursor.skipTo(untilSeq);
    }
  }
}

/** Tells what the driver shows until the watcher has to be caught up. */
async function* live(
  subscription: Subscription,
  cursor: Cursor,
  silence: Silence,
  signal: AbortSignal,
): AsyncGenerator<FollowStep> {
  while (!cursor.isEnded) {
    if (silence.isTooLong) {
      silence.end();
      yield { kind: 'heartbeat', lastSeq: cursor.seq };
    }
    const taken: Taken = await subscription.take(heartbeatMs, signal);
    switch (taken.kind) {
      case 'aborted':
      case 'behind':
        return;
      case 'silence':
        silence.isTooLong = true;
        break;
      case 'events': {
        if (cursor.hasHoleBefore(taken.entries)) {
          return;
        }
        const events = cursor.pass(taken.entries);
        subscription.hasRead(cursor.seq);
        if (events.length > 0) {
          silence.end();
        }
        yield* told(events);
      }
    }
  }
}

/** How long a stream has said nothing, also while it passes over what it was not asked for. */
class Silence implements Disposable {
  isTooLong = false;
  readonly #timer = setTimeout(() => {
    this.isTooLong = true;
  }, heartbeatMs);

  /** Something is said: it begins anew. */
  end(): void {
    this.isTooLong = false;
    this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** How far a stream is, and what of a session passes into it. */
class Cursor {
  seq: number;
  isEnded = false;
  readonly #query: FollowQuery;

  constructor(query: FollowQuery) {
    this.#query = query;
    this.seq = query.afterSeq;
  }

  skipTo(seq: number): void {
    this.seq = Math.max(this.seq, seq);
  }

  /** True when durable events between the cursor and these are missing. */
  hasHoleBefore(entries: readonly Published[]): boolean {
    const first = entries.find(({ event }) => event.seq > this.seq);
    return first !== undefined && Number(first.event.seq) > this.seq + 1;
  }

  /** Moves on, and answers what is to be told: nothing twice, nothing after the end. */
  pass(entries: readonly Published[]): AgentEvent[] {
    const { live, runId, endsWithRun } = this.#query;
    const told: AgentEvent[] = [];
    for (const { event, elided } of entries) {
      const isDurable = event.seq > 0n;
      const isNews = isDurable ? Number(event.seq) > this.seq : live;
      if (isDurable) {
        this.skipTo(Number(event.seq));
      }
      if (isNews && !this.isEnded && (runId === undefined || event.runId === runId)) {
        told.push(live && elided !== undefined ? elided : event);
        this.isEnded = endsWithRun && event.runId === runId && isTerminal(event);
      }
    }
    return told;
  }
}
