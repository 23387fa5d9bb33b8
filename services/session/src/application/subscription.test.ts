import { brandId, type SessionId } from '@spanwise/kernel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { spanStart } from '../../tests/doubles/said.ts';
import type { UnplacedEvent } from '../domain/event/agent-event.ts';
import type { Published } from './published.ts';
import { SessionHub } from './session-hub.ts';

const sessionId = brandId<SessionId>('00000000-0000-7000-8000-0000000000aa');
const otherId = brandId<SessionId>('00000000-0000-7000-8000-0000000000ab');
const never = new AbortController().signal;

const shown = (seq: number, event: UnplacedEvent): Published => ({
  event: { ...event, seq: BigInt(seq), sessionId, runId: 'r', epoch: 1n },
});
const entries = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => shown(from + n, spanStart('a')));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a subscription', () => {
  test('gets what is shown after it began, of its session only', async () => {
    const hub = new SessionHub();
    const [publisher, other] = [hub.open(sessionId, 3), hub.open(otherId, 0)];
    publisher.publish(entries(4, 1));
    using subscription = hub.subscribe(sessionId);
    expect(subscription.restart()).toEqual({ lastSeq: 4, tails: [] });
    other.publish(entries(1, 1));
    publisher.publish(entries(5, 2));
    publisher.publish(entries(7, 1));
    expect(await subscription.take(10, never)).toEqual({ kind: 'events', entries: entries(5, 3) });
  });

  test('waits for something to be shown', async () => {
    const hub = new SessionHub();
    const publisher = hub.open(sessionId, 0);
    using subscription = hub.subscribe(sessionId);
    subscription.restart();
    const taken = subscription.take(10_000, never);
    publisher.publish(entries(1, 1));
    expect(await taken).toEqual({ kind: 'events', entries: entries(1, 1) });
    // The one timer of all its waits ends with it.
    subscription[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('tells of silence, and of an abort at once', async () => {
    using subscription = new SessionHub().subscribe(sessionId);
    const silence = subscription.take(10_000, never);
    vi.advanceTimersByTime(10_000);
    expect(await silence).toEqual({ kind: 'silence' });
    const leaving = new AbortController();
    const taken = subscription.take(10_000, leaving.signal);
    leaving.abort();
    expect(await taken).toEqual({ kind: 'aborted' });
    expect(await subscription.take(10_000, leaving.signal)).toEqual({ kind: 'aborted' });
    // The one timer of all its waits ends with it.
    subscription[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('drops what waits when it is too much, until it begins anew, which is told', async () => {
    const caughtUp: SessionId[] = [];
    const hub = new SessionHub({}, (id) => caughtUp.push(id));
    const publisher = hub.open(sessionId, 0);
    using subscription = hub.subscribe(sessionId);
    subscription.restart();
    publisher.publish(entries(1, 256));
    publisher.publish(entries(257, 1));
    publisher.publish(entries(258, 1));
    expect(await subscription.take(10, never)).toEqual({ kind: 'behind' });
    expect(caughtUp).toEqual([]);
    expect(subscription.restart()).toEqual({ lastSeq: 258, tails: [] });
    expect(caughtUp).toEqual([sessionId]);
    publisher.publish(entries(259, 1));
    expect(await subscription.take(10, never)).toEqual({ kind: 'events', entries: entries(259, 1) });
    // That the log has grown elsewhere, or a driver begins, is no catching up.
    subscription.fallBehind();
    subscription.restart();
    expect(caughtUp).toEqual([sessionId]);
  });

  test('takes one group that is larger than the limit when nothing waits', async () => {
    const hub = new SessionHub();
    const publisher = hub.open(sessionId, 0);
    using subscription = hub.subscribe(sessionId);
    subscription.restart();
    publisher.publish(entries(1, 2000));
    expect(await subscription.take(10, never)).toEqual({ kind: 'events', entries: entries(1, 2000) });
  });

  test('is behind when the log has grown elsewhere, until it has read that far', async () => {
    const hub = new SessionHub();
    using subscription = hub.subscribe(sessionId);
    expect(subscription.restart()).toBeUndefined();
    subscription.hasRead(4);
    hub.tellLastSeq(sessionId, 4);
    hub.tellLastSeq(otherId, 9);
    const taken = subscription.take(10_000, never);
    hub.tellLastSeq(sessionId, 6);
    expect(await taken).toEqual({ kind: 'behind' });
    subscription.hasRead(6);
    const silence = subscription.take(10_000, never);
    vi.advanceTimersByTime(10_000);
    expect(await silence).toEqual({ kind: 'silence' });
  });

  test('that is handed off gets what waits first, and then looks no more', async () => {
    const hub = new SessionHub();
    const publisher = hub.open(sessionId, 0);
    using subscription = hub.subscribe(sessionId);
    subscription.restart();
    publisher.publish(entries(1, 1));
    publisher.handOff();
    publisher.publish(entries(2, 1));
    expect(await subscription.take(10, never)).toEqual({ kind: 'events', entries: entries(1, 1) });
    expect(await subscription.take(10, never)).toEqual({ kind: 'behind' });
    expect(subscription.handedOff).toEqual({ retryAfterMs: 200 });
  });

  test('is behind once a driver begins after it, with what the start has committed', async () => {
    const hub = new SessionHub();
    using subscription = hub.subscribe(sessionId);
    subscription.restart();
    const taken = subscription.take(10_000, never);
    hub.open(sessionId, 3);
    expect(await taken).toEqual({ kind: 'behind' });
  });
});
