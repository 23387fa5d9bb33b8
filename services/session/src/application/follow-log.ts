import type { SessionId } from '@spanwise/kernel';
import type { AgentEvent } from '../domain/event/agent-event.ts';
import type { EventLog } from '../domain/event/event-log.ts';
import { bytesAtMost } from '../domain/event/event-size.ts';
import { sessionNotFound } from '../domain/session/session-errors.ts';
import { assertKept } from './assert-kept.ts';
import { FollowCursor, type FollowQuery } from './follow-cursor.ts';
import { heartbeatMs, Pace, Silence } from './pace.ts';
import type { LivePosition } from './published.ts';
import type { SessionHub } from './session-hub.ts';
import { sizeGroups } from './size-groups.ts';
import type { HandedOff, Subscription, Taken } from './subscription.ts';

const replayPage = 500;

/** The last step of a stream that can not go on here: the client goes on after `afterSeq` at another replica. */
export interface HandoffStep {
  readonly kind: 'handoff';
  readonly afterSeq: number;
  /** How long the client should wait before that; left out = not at all. */
  readonly retryAfterMs?: number;
}

/** A step of a watcher's stream. */
export type FollowStep =
  | { readonly kind: 'events'; readonly events: readonly AgentEvent[] }
  | { readonly kind: 'caught-up'; readonly seq: number }
  | { readonly kind: 'heartbeat'; readonly lastSeq: number }
  | HandoffStep;

export interface FollowDeps {
  readonly log: EventLog;
  readonly hub: SessionHub;
}

/** One stream: what it is subscribed to, how far it is, and how it is read. */
interface Follower {
  readonly query: FollowQuery;
  readonly subscription: Subscription;
  readonly cursor: FollowCursor;
  readonly pace: Pace;
  readonly silence: Silence;
}

/**
 * One log, replayed and live: rows after the cursor, then the text that is shown and not stored yet, then what the driver
 * shows. A watcher that falls behind, or whose session is driven elsewhere, is brought up from the rows again. No event
 * is told twice and none is left out, whatever the cursor. Ends with a handoff when the stream can not go on here.
 * Throws TOO_MANY_WATCHERS, WATCHER_TOO_SLOW when it is not read, CURSOR_OUT_OF_RANGE when what it has not read yet is
 * thrown away, and SESSION_NOT_FOUND once the session is deleted and has told the end of its last run.
 */
export async function* followLog(
  { log, hub }: FollowDeps,
  query: FollowQuery,
  signal: AbortSignal,
): AsyncGenerator<FollowStep, void> {
  using subscription = hub.subscribe(query.sessionId);
  using pace = new Pace(subscription, hub.limits.slowMs);
  using silence = new Silence();
  const cursor = new FollowCursor(query);
  const follower = { query, subscription, cursor, pace, silence };
  let isFirst = true;
  while (!signal.aborted && !cursor.isEnded) {
    if (subscription.handedOff !== undefined) {
      yield handoffStep(cursor.seq, subscription.handedOff);
      return;
    }
    // Asked before the log is read, to its end: of what is gone nothing more is said, and some may not be shown here yet.
    const { isGone } = subscription;
    const position = await (isGone ? endOf(log, query.sessionId) : beginAnew(subscription, log, query.sessionId));
    yield* replay(log, follower, position.lastSeq, signal);
    if (cursor.isEnded || cursor.seq < position.lastSeq) {
      continue;
    }
    subscription.hasRead(position.lastSeq);
    cursor.endIfWaiting();
    if (cursor.isEnded) {
      return;
    }
    if (isGone) {
      throw sessionNotFound();
    }
    yield* told(cursor.passTails(position.tails), follower);
    if (isFirst) {
      isFirst = false;
      yield* handed({ kind: 'caught-up', seq: cursor.seq }, follower);
    }
    yield* live(follower, signal);
  }
}

/** The last step of a stream that was handed off. */
export function handoffStep(afterSeq: number, { retryAfterMs }: HandedOff): HandoffStep {
  return { kind: 'handoff', afterSeq, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** Where the rows end and the queue begins: at what the driver has shown, or, when none is here, at the log's end. */
async function beginAnew(subscription: Subscription, log: EventLog, sessionId: SessionId): Promise<LivePosition> {
  for (;;) {
    const position = subscription.restart();
    if (position !== undefined) {
      return position;
    }
    const end = await endOf(log, sessionId);
    // What a driver has shown meanwhile may be in the rows as well: then it is the driver's position that counts.
    if (!subscription.hasWaiting) {
      return end;
    }
  }
}

async function endOf(log: EventLog, sessionId: SessionId): Promise<LivePosition> {
  const bounds = await log.bounds(sessionId);
  if (bounds === undefined) {
    throw sessionNotFound();
  }
  return { lastSeq: bounds.lastSeq, tails: [] };
}

function* handed(step: FollowStep, { pace, cursor }: Follower): Generator<FollowStep, void> {
  pace.handed();
  yield step;
  pace.taken(() => cursor.seq);
}

/** Events as steps that fit into one message each. `beforeSeq` is where the stream stood before them. */
function* told(
  events: readonly AgentEvent[],
  { pace, cursor }: Follower,
  beforeSeq = cursor.seq,
): Generator<FollowStep, void> {
  let count = 0;
  for (const group of sizeGroups(events, bytesAtMost)) {
    count += group.length;
    pace.handed();
    yield { kind: 'events', events: group };
    pace.taken(() => (count === events.length ? cursor.seq : lastSeqOf(events.slice(0, count), beforeSeq)));
  }
}

function lastSeqOf(events: readonly AgentEvent[], beforeSeq: number): number {
  return Number(events.findLast(({ seq }) => seq > 0n)?.seq ?? beforeSeq);
}

/** Stops early when the stream ends, or is handed off. Throws CURSOR_OUT_OF_RANGE when rows have gone meanwhile. */
async function* replay(log: EventLog, follower: Follower, untilSeq: number, signal: AbortSignal) {
  const { cursor, subscription } = follower;
  const { sessionId, runId } = follower.query;
  const filter = runId === undefined ? {} : { runId };
  const isLeft = () => signal.aborted || subscription.handedOff !== undefined;
  while (cursor.seq < untilSeq && !cursor.isEnded && !isLeft()) {
    const beforeSeq = cursor.seq;
    const events = await log.read({ sessionId, afterSeq: beforeSeq, untilSeq, limit: replayPage, ...filter });
    await assertKept(log, sessionId, beforeSeq, events);
    const passed = cursor.passRows(events);
    if (events.length < replayPage) {
      cursor.skipTo(untilSeq);
    }
    yield* told(passed, follower, beforeSeq);
  }
}

/** Tells what the driver shows until the watcher has to be caught up, or the stream ends. */
async function* live(follower: Follower, signal: AbortSignal): AsyncGenerator<FollowStep> {
  const { subscription, cursor, silence } = follower;
  while (!cursor.isEnded) {
    if (silence.isTooLong) {
      silence.end();
      yield* handed({ kind: 'heartbeat', lastSeq: cursor.seq }, follower);
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
        const beforeSeq = cursor.seq;
        const passed = cursor.passShown(taken.entries);
        subscription.hasRead(cursor.seq);
        if (passed.told.length > 0) {
          silence.end();
        }
        yield* told(passed.told, follower, beforeSeq);
        if (passed.hasHole) {
          return;
        }
        cursor.endIfWaiting();
      }
    }
  }
}
