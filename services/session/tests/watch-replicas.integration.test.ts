import { setTimeout as delay } from 'node:timers/promises';
import { Code, createClient } from '@connectrpc/connect';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { SessionPeerService } from '@spanwise/contracts/spanwise/session/v1/peer';
import { SessionService, type WatchSessionResponse } from '@spanwise/contracts/spanwise/session/v1/session';
import { brandId, type RunId, systemClock } from '@spanwise/kernel';
import { createInternalTransport } from '@spanwise/service-kit';
import { startTcpProxy } from '@spanwise/testing';
import { describe, expect, test } from 'vitest';
import { SessionHub } from '../src/application/session-hub.ts';
import type { AgentEvent as DomainEvent } from '../src/domain/event/agent-event.ts';
import { ConnectPeers } from '../src/infrastructure/clients/connect-peers.ts';
import { HmacPeerProof } from '../src/infrastructure/hmac-peer-proof.ts';
import { driver, replicaOf } from './doubles/replica.ts';
import { proof, startReplicaServer, testTelemetry } from './doubles/replica-server.ts';
import { brief, spanStart, textDelta, textEnd, textStart } from './doubles/said.ts';
import { failing } from './doubles/session-server.ts';
import { TextReader } from './doubles/text-reader.ts';
import { inMemoryWorld, rowsOf, startedRun } from './doubles/world.ts';

const runId = brandId<RunId>('00000000-0000-7000-8000-0000000000bb');

/** A replica that drives a run, and another one on which it is watched, with a connection between them that can be cut. */
async function twoReplicas() {
  const resources = new AsyncDisposableStack();
  const world = inMemoryWorld();
  const driving = resources.use(await startReplicaServer(world, world.hub));
  const proxy = resources.use(await startTcpProxy(driving.server.port));
  const peers = resources.use(new ConnectPeers({ telemetry: testTelemetry, sign: () => proof.sign() }));
  const replica = resources.use(replicaOf(world, peers, 50));
  const watching = resources.use(await startReplicaServer(world, replica.hub));
  const started = await startedRun(world);
  replica.instances.owners.set(started.sessionId, { id: driver.id, address: proxy.url });
  return {
    ...started,
    world,
    driving,
    proxy,
    peers,
    replica,
    watching,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Reads a stream, and keeps what it said. */
function reader(stream: AsyncIterable<WatchSessionResponse>) {
  const messages: WatchSessionResponse[] = [];
  const ended = (async () => {
    for await (const message of stream) {
      messages.push(message);
    }
  })();
  ended.catch(() => undefined);
  const events = () => messages.flatMap((message) => message.events) as readonly AgentEvent[] as readonly DomainEvent[];
  return { messages, ended, events };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue(); tries += 1) {
    expect(tries, 'it never happened').toBeLessThan(1000);
    await delay(5);
  }
}

describe('a session that is driven on another replica', () => {
  test('is shown there delta by delta', async () => {
    await using both = await twoReplicas();
    const { executor, sessionId, replica, watching } = both;
    const leaving = new AbortController();
    const stream = reader(watching.client.watchSession({ sessionId }, { signal: leaving.signal }));
    await until(() => replica.tails.isOpen(sessionId));
    executor.say(textStart('b'));
    const text = 'Grüße 😀!';
    let offset = 0;
    for (const piece of text) {
      const before = stream.messages.length;
      executor.say(textDelta('b', offset, piece));
      offset += Buffer.byteLength(piece);
      await until(() => stream.messages.slice(before).some(({ events }) => events.some(({ seq }) => seq === 0n)));
    }
    const deltas = stream.events().filter(({ seq }) => seq === 0n);
    expect(deltas.map(({ data }) => (data.case === 'textDelta' ? data.value.text : ''))).toEqual(Array.from(text));
    executor.say(textEnd('b', offset));
    executor.finish();
    await until(() => stream.events().at(-1)?.data.case === 'runEnd');
    // The text was carried already.
    const chunks = stream.events().filter(({ seq, data }) => seq > 0n && data.case === 'textDelta');
    expect(chunks.every(({ data }) => data.case === 'textDelta' && data.value.text === '')).toBe(true);
    expect(new TextReader().apply(stream.events()).texts).toEqual({ b: text });
    leaving.abort();
    await stream.ended.catch(() => undefined);
    await until(() => replica.hub.watchedElsewhere().length === 0);
  });

  test('is shown without gap and without double when the connection between them is cut', async () => {
    await using both = await twoReplicas();
    const { world, executor, sessionId, replica, watching, proxy } = both;
    const leaving = new AbortController();
    const streams = [true, false].map((live) =>
      reader(watching.client.watchSession({ sessionId, live }, { signal: leaving.signal })),
    );
    executor.say(textStart('b'));
    let cuts = 0;
    for (let n = 0; n < 300; n += 1) {
      executor.say(textDelta('b', n * 2, 'ü'), ...(n % 7 === 0 ? [spanStart('a')] : []));
      if (n % 60 === 30) {
        await until(() => replica.tails.isOpen(sessionId));
        cuts += 1;
        proxy.cut();
      }
      await delay(2);
    }
    executor.say(textEnd('b', 600));
    executor.finish();
    await Promise.all(streams.map((stream) => until(() => stream.events().at(-1)?.data.case === 'runEnd')));
    const rows = rowsOf(world, sessionId);
    for (const stream of streams) {
      const durable = stream.events().filter(({ seq }) => seq > 0n);
      expect(durable.map(({ seq }) => seq)).toEqual(rows.map(({ seq }) => seq));
      expect(new TextReader().apply(stream.events()).texts).toEqual({ b: 'ü'.repeat(300) });
    }
    expect(streams[1]?.events().map(brief)).toEqual(rows.map(brief));
    expect(cuts).toBe(5);
    expect(replica.errors.length).toBeGreaterThanOrEqual(cuts);
    leaving.abort();
    await Promise.all(streams.map(({ ended }) => ended.catch(() => undefined)));
  });

  test('by the hundreds is more than one connection carries, and cancels are not kept waiting', async () => {
    await using both = await twoReplicas();
    const { world, peers, proxy, driving } = both;
    const leaving = new AbortController();
    const sessions = await Promise.all(Array.from({ length: 300 }, () => startedRun(world)));
    const tails = sessions.map(async ({ sessionId }) => {
      const tail = peers.tail(proxy.url, sessionId, leaving.signal);
      return { tail, first: (await tail.next()).value };
    });
    const opened = await Promise.all(tails);
    expect(opened.map(({ first }) => first?.kind === 'position' && first.lastSeq)).toEqual(sessions.map(() => 3));
    expect(await peers.notifyCancel(proxy.url, runId)).toBe(true);
    await peers.notifyReleased(proxy.url, runId);
    expect([driving.cancelled, driving.released]).toEqual([[runId], [runId]]);
    leaving.abort();
    await Promise.all(opened.map(({ tail }) => tail.next().catch(() => undefined)));
  });
});

describe('a replica that is asked', () => {
  test('says so when it does not drive the session', async () => {
    await using both = await twoReplicas();
    const { peers, proxy, executor, sessionId } = both;
    executor.finish();
    await until(() => both.world.hub.tail(sessionId) === undefined);
    const tail = peers.tail(proxy.url, sessionId, new AbortController().signal);
    await expect(tail.next()).rejects.toMatchObject({ kind: 'precondition', reason: 'NO_ACTIVE_RUN' });
  });

  test('and does not answer is given up after a second', async () => {
    await using both = await twoReplicas();
    const { peers, proxy } = both;
    await peers.notifyCancel(proxy.url, runId);
    proxy.freeze();
    const beganMs = performance.now();
    await expect(peers.notifyCancel(proxy.url, runId)).rejects.toMatchObject({ kind: 'deadline' });
    await expect(peers.notifyReleased(proxy.url, runId)).rejects.toMatchObject({ kind: 'deadline' });
    expect(performance.now() - beganMs).toBeLessThan(4000);
  });
});

describe('authentication of replicas', () => {
  const sessionId = '00000000-0000-7000-8000-0000000000aa';

  test('refuses users, and proofs that are forged, stale or of another key', async () => {
    await using both = await twoReplicas();
    await using resources = new AsyncDisposableStack();
    const { server } = both.driving;
    const transport = resources.use(createInternalTransport({ baseUrl: server.url, telemetry: testTelemetry }));
    const client = createClient(SessionPeerService, transport);
    const late = { ...systemClock, nowMs: () => systemClock.nowMs() - 61_000 };
    const refused = [
      {},
      { token: 'of a user', uid: 'alice' },
      { 'x-spanwise-peer': '' },
      { 'x-spanwise-peer': 'of a user' },
      { 'x-spanwise-peer': `${Date.now()}.${'0'.repeat(64)}` },
      { 'x-spanwise-peer': new HmacPeerProof('another key', systemClock).sign() },
      { 'x-spanwise-peer': new HmacPeerProof('the key of all replicas', late).sign() },
    ] as readonly Record<string, string>[];
    for (const headers of refused) {
      const failures = [
        await failing(Array.fromAsync(client.tailSession({ sessionId }, { headers }))),
        await failing(client.notifyCancel({ runId }, { headers })),
        await failing(client.notifyReleased({ runId }, { headers })),
      ];
      expect(failures.map(({ code, reason }) => [code, reason])).toEqual(
        failures.map(() => [Code.Unauthenticated, 'UNAUTHENTICATED']),
      );
    }
    expect([both.driving.cancelled, both.driving.released]).toEqual([[], []]);
    const headers = { 'x-spanwise-peer': proof.sign() };
    expect((await client.notifyCancel({ runId }, { headers })).held).toBe(true);
  });

  test('is worth nothing where users are asked for', async () => {
    await using both = await twoReplicas();
    await using resources = new AsyncDisposableStack();
    const { server } = both.driving;
    const transport = resources.use(createInternalTransport({ baseUrl: server.url, telemetry: testTelemetry }));
    const client = createClient(SessionService, transport);
    const headers = { 'x-spanwise-peer': proof.sign() };
    expect(await failing(client.listSessions({}, { headers }))).toMatchObject({ reason: 'UNAUTHENTICATED' });
    const user = { token: 'of a user', 'x-spanwise-peer': 'nonsense' };
    expect((await client.listSessions({}, { headers: user })).sessions).toHaveLength(1);
  });
});

describe('a client', () => {
  test('of a process that drains is told where to go on', async () => {
    await using both = await twoReplicas();
    const { sessionId, watching, replica, executor, world } = both;
    const stream = reader(watching.client.watchSession({ sessionId }));
    await until(() => replica.tails.isOpen(sessionId));
    replica.hub.drain();
    await stream.ended;
    expect(stream.messages.at(-1)?.handoff).toMatchObject({ afterSeq: 3n });
    expect(stream.messages.at(-1)?.handoff?.retryAfter).toBeUndefined();
    const publisher = world.hub.open(sessionId, 3);
    const fenced = reader(both.driving.client.watchSession({ sessionId }));
    await until(() => fenced.messages.some(({ caughtUp }) => caughtUp !== undefined));
    publisher.handOff();
    await fenced.ended;
    expect(fenced.messages.at(-1)?.handoff).toMatchObject({ afterSeq: 3n, retryAfter: { nanos: 200_000_000 } });
    executor.finish();
  });

  test('that does not read hears of it when it reads on, gets what was on its way, and misses nothing', async () => {
    await using resources = new AsyncDisposableStack();
    const world = inMemoryWorld();
    const hub = new SessionHub({ slowMs: 300 });
    const replica = resources.use(await startReplicaServer(world, hub));
    const { sessionId, executor } = await startedRun(world);
    const leaving = new AbortController();
    const stream = replica.client.watchSession({ sessionId }, { signal: leaving.signal })[Symbol.asyncIterator]();
    const messages = [(await stream.next()).value as WatchSessionResponse];
    const value = { callId: 'c', outcome: 1, content: [], structuredJson: 'x'.repeat(100_000), code: '' };
    const large = { ...spanStart('a'), data: { case: 'toolResult' as const, value } };
    executor.say(...Array.from({ length: 40 }, () => large));
    executor.finish();
    await until(() => rowsOf(world, sessionId).at(-1)?.data.case === 'runEnd');
    // Told how far the log is, it begins to send, and nobody reads.
    hub.tellLastSeq(sessionId, rowsOf(world, sessionId).length);
    await until(() => {
      hub.tellLastSeq(sessionId, 1_000_000);
      return hub.watchedElsewhere().length === 0;
    });
    const failure = await failing(
      (async () => {
        for (let next = await stream.next(); next.done !== true; next = await stream.next()) {
          messages.push(next.value);
        }
      })(),
    );
    const seqs = messages.flatMap(({ events }) => events.map(({ seq }) => Number(seq)));
    expect(failure).toMatchObject({
      code: Code.ResourceExhausted,
      reason: 'WATCHER_TOO_SLOW',
      metadata: { last_seq: String(seqs.at(-1)) },
    });
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    expect(seqs.length).toBeLessThan(45);
    leaving.abort();
  });

  test('that stops reading and then leaves leaves nothing behind', async () => {
    await using resources = new AsyncDisposableStack();
    const world = inMemoryWorld();
    const hub = new SessionHub();
    const replica = resources.use(await startReplicaServer(world, hub));
    const { sessionId, executor } = await startedRun(world);
    const leaving = new AbortController();
    const stream = replica.client.watchSession({ sessionId }, { signal: leaving.signal })[Symbol.asyncIterator]();
    await stream.next();
    const value = { callId: 'c', outcome: 1, content: [], structuredJson: 'x'.repeat(100_000), code: '' };
    executor.say(
      ...Array.from({ length: 40 }, () => ({ ...spanStart('a'), data: { case: 'toolResult' as const, value } })),
    );
    executor.finish();
    await until(() => rowsOf(world, sessionId).at(-1)?.data.case === 'runEnd');
    await delay(50);
    expect(hub.watchedElsewhere()).toEqual([sessionId]);
    leaving.abort();
    await until(() => hub.watchedElsewhere().length === 0);
  });
});
