import { brandId, type SessionId } from '@spanwise/kernel';
import { describe, expect, test } from 'vitest';
import {
  attempt,
  brief,
  callDelta,
  callStart,
  spanStart,
  textDelta,
  textEnd,
  textStart,
} from '../../tests/doubles/said.ts';
import type { UnplacedEvent } from '../domain/event/agent-event.ts';
import type { LivePosition, Published } from './published.ts';
import { SessionHub } from './session-hub.ts';

const sessionId = brandId<SessionId>('00000000-0000-7000-8000-0000000000aa');
const otherId = brandId<SessionId>('00000000-0000-7000-8000-0000000000ab');
const never = new AbortController().signal;

const shown = (seq: number, event: UnplacedEvent): Published => ({
  event: { ...event, seq: BigInt(seq), sessionId, runId: 'r', epoch: 1n },
});
const tailsOf = (position: LivePosition | undefined) => position?.tails.map(brief);

describe('the hub', () => {
  test('knows of each open block the text that is not stored', () => {
    const hub = new SessionHub();
    const publisher = hub.open(sessionId, 0);
    const chunk = shown(3, textDelta('b', 0, 'Grü'));
    publisher.publish([shown(1, textStart('b')), shown(2, callStart('c', 'm')), shown(0, textDelta('b', 0, 'Gr'))]);
    publisher.publish([shown(0, textDelta('b', 2, 'ü')), shown(0, callDelta('c', 0, '{')), chunk]);
    publisher.publish([shown(0, textDelta('b', 4, 'ß')), shown(0, textDelta('b', 6, 'e'))]);
    using subscription = hub.subscribe(sessionId);
    const position = subscription.restart();
    expect(position?.lastSeq).toBe(3);
    expect(position?.tails.map(({ seq, data }) => ({ seq, data }))).toEqual([
      { seq: 0n, data: textDelta('b', 4, 'ße').data },
      { seq: 0n, data: callDelta('c', 0, '{').data },
    ]);
    publisher.publish([shown(4, textDelta('b', 4, 'ße')), shown(5, textEnd('b', 7))]);
    expect(subscription.restart()?.tails.map(({ data }) => data)).toEqual([callDelta('c', 0, '{').data]);
  });

  test('forgets the text of all open blocks when the run is dispatched again', () => {
    const hub = new SessionHub();
    const publisher = hub.open(sessionId, 0);
    publisher.publish([shown(1, textStart('b')), shown(0, textDelta('b', 0, 'lost')), shown(2, attempt(2))]);
    using subscription = hub.subscribe(sessionId);
    expect(subscription.restart()).toEqual({ lastSeq: 2, tails: [] });
    publisher.publish([shown(3, textStart('c')), shown(0, textDelta('c', 0, 'new'))]);
    expect(tailsOf(subscription.restart())).toEqual(['live textDelta c+0 new']);
  });

  test('knows who is watched and not driven here', () => {
    const hub = new SessionHub();
    const watchers = [hub.subscribe(sessionId), hub.subscribe(sessionId), hub.subscribe(otherId)];
    expect(hub.watchedElsewhere()).toEqual([sessionId, otherId]);
    const publisher = hub.open(otherId, 0);
    expect(hub.watchedElsewhere()).toEqual([sessionId]);
    publisher.close();
    watchers[0]?.[Symbol.dispose]();
    expect(hub.watchedElsewhere()).toEqual([sessionId, otherId]);
    hub.openRemote(otherId, { lastSeq: 0, tails: [] });
    expect(hub.watchedElsewhere()).toEqual([sessionId, otherId]);
    watchers.slice(1).forEach((watcher) => watcher[Symbol.dispose]());
    expect(hub.watchedElsewhere()).toEqual([]);
  });

  test('keeps the next driver when the one before lets go late, and shows nothing more of that', () => {
    const hub = new SessionHub();
    const first = hub.open(sessionId, 5);
    hub.open(sessionId, 9);
    using subscription = hub.subscribe(sessionId);
    first.publish([shown(6, spanStart('a'))]);
    first.handOff();
    first.close();
    expect(subscription.handedOff).toBeUndefined();
    expect(subscription.restart()).toEqual({ lastSeq: 9, tails: [] });
  });
});

describe('a session', () => {
  test('has fifty streams at most, of those who wait for their run too', () => {
    const hub = new SessionHub();
    const watchers = Array.from({ length: 50 }, (_, n) => (n % 2 ? hub.subscribe(sessionId) : hub.awaitRun(sessionId)));
    const refused = expect.objectContaining({
      kind: 'exhausted',
      reason: 'TOO_MANY_WATCHERS',
      facts: { limit: 50 },
    });
    expect(() => hub.subscribe(sessionId)).toThrow(refused);
    expect(() => hub.awaitRun(sessionId)).toThrow(refused);
    expect(hub.hasRoom(sessionId)).toBe(false);
    hub.subscribe(otherId);
    watchers[0]?.[Symbol.dispose]();
    watchers[0]?.[Symbol.dispose]();
    hub.subscribe(sessionId);
    expect(() => hub.subscribe(sessionId)).toThrow(refused);
  });
});

describe('what another replica shows', () => {
  const position: LivePosition = {
    lastSeq: 4,
    tails: [shown(0, textDelta('b', 10, 'ab')).event, shown(0, callDelta('c', 0, '{')).event],
  };

  test('goes on from its position, with the text that it had not stored', () => {
    const hub = new SessionHub();
    const publisher = hub.openRemote(sessionId, position);
    using subscription = hub.subscribe(sessionId);
    expect(subscription.restart()).toEqual({ lastSeq: 4, tails: position.tails });
    // `d` was open, and all of its text stored.
    publisher?.publish([shown(0, textDelta('b', 12, 'c')), shown(0, textDelta('d', 7, 'x'))]);
    publisher?.publish([shown(0, textDelta('d', 8, 'y')), shown(5, textDelta('b', 10, 'abc'))]);
    const told = ['live toolCallDelta c+0 {', 'live textDelta d+7 xy'];
    expect(tailsOf(subscription.restart())).toEqual(told);
  });

  test('makes those who watch already begin anew', async () => {
    const hub = new SessionHub();
    using subscription = hub.subscribe(sessionId);
    subscription.restart();
    subscription.hasRead(4);
    hub.openRemote(sessionId, position);
    expect(await subscription.take(10, never)).toEqual({ kind: 'behind' });
    expect(tailsOf(subscription.restart())).toHaveLength(2);
  });

  test('gives way to a driver here, and to nobody else', () => {
    const hub = new SessionHub();
    const remote = hub.openRemote(sessionId, position);
    const local = hub.open(sessionId, 9);
    remote?.publish([shown(5, spanStart('a'))]);
    remote?.close();
    expect(hub.openRemote(sessionId, position)).toBeUndefined();
    using subscription = hub.subscribe(sessionId);
    expect(subscription.restart()).toEqual({ lastSeq: 9, tails: [] });
    local.close();
    expect(hub.openRemote(sessionId, position)).toBeDefined();
  });

  test('is not shown to further replicas', () => {
    const hub = new SessionHub();
    expect(hub.tail(sessionId)).toBeUndefined();
    hub.openRemote(sessionId, position);
    expect(hub.tail(sessionId)).toBeUndefined();
  });
});

describe('draining', () => {
  test('hands off those who watch and those who come, and not other replicas', () => {
    const hub = new SessionHub();
    const publisher = hub.open(sessionId, 3);
    const tail = hub.tail(sessionId);
    const before = [hub.subscribe(sessionId), hub.awaitRun(sessionId), hub.subscribe(otherId)];
    hub.drain();
    const watchers = [...before, hub.subscribe(sessionId), hub.awaitRun(otherId)];
    expect(watchers.map(({ handedOff }) => handedOff)).toEqual(watchers.map(() => ({ retryAfterMs: undefined })));
    expect(tail?.subscription.handedOff).toBeUndefined();
    publisher.close();
    expect(tail?.subscription.handedOff).toBeDefined();
  });
});
