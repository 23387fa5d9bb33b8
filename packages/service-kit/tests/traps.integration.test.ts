import { connect, type IncomingHttpHeaders } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { Code, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Health, HealthCheckResponse_ServingStatus as Status } from '@spanwise/contracts/grpc/health/v1/health';
import { CreateSessionRequestSchema, SessionService } from '@spanwise/contracts/spanwise/session/v1/session';
import { Telemetry } from '@spanwise/telemetry';
import { startTcpProxy } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createInternalTransport,
  internalMaxStreams,
  type RunningServer,
  SafeSessionManager,
  toDomainError,
} from '../src/index.ts';
import { knownId, startTestServer } from './test-server.ts';

const telemetry = new Telemetry({ service: 'test', env: {} });

let server: RunningServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe('a client between services', () => {
  /** Opens a stream, does something to the connection once it flows, and answers how the stream ended. */
  async function brokenStream(url: string, harm: () => void, signal?: AbortSignal) {
    using transport = createInternalTransport({ baseUrl: url, telemetry, pingIntervalMs: 100, pingTimeoutMs: 100 });
    const client = createClient(SessionService, transport);
    try {
      let messages = 0;
      for await (const _ of client.watchSession({ sessionId: knownId }, signal === undefined ? {} : { signal })) {
        messages += 1;
        if (messages === 2) {
          harm();
        }
      }
      return 'ended';
    } catch (error) {
      return toDomainError(error).kind;
    }
  }

  test('sees a connection that is cut as unavailable, never as its own cancel', async () => {
    await using proxy = await startTcpProxy(server.port);
    expect(await brokenStream(proxy.url, proxy.cut)).toBe('unavailable');
  });

  test('finds a frozen server by its pings', async () => {
    await using proxy = await startTcpProxy(server.port);
    expect(await brokenStream(proxy.url, proxy.freeze)).toBe('unavailable');
  });

  test('sees its own cancel as a cancel', async () => {
    const leave = new AbortController();
    expect(await brokenStream(server.url, () => leave.abort(), leave.signal)).toBe('cancelled');
  });

  test('survives a ping on a connection that has just died', async () => {
    const manager = new SafeSessionManager(server.url, { pingIntervalMs: 60_000 });
    const stream = await manager.request('POST', '/grpc.health.v1.Health/Check', {}, {});
    const { session } = stream;
    stream.on('error', () => undefined);
    session?.on('error', () => undefined);
    session?.destroy();
    expect(session?.ping(() => undefined)).toBe(false);
    manager.abort();
  });

  test('opens more than 256 streams on one connection where the server allows it', async () => {
    await using inside = await startTestServer({ limits: { maxStreams: internalMaxStreams } });
    using transport = createInternalTransport({ baseUrl: inside.url, telemetry });
    const client = createClient(SessionService, transport);
    const leave = new AbortController();
    const first = Array.from({ length: 300 }, async () => {
      for await (const _ of client.watchSession({ sessionId: knownId }, { signal: leave.signal })) {
        return true;
      }
      return false;
    });
    expect((await Promise.all(first)).filter(Boolean)).toHaveLength(300);
    leave.abort();
  });
});

describe('a server', () => {
  const client = () => createClient(SessionService, createGrpcTransport({ baseUrl: server.url }));

  /** Sends bytes as the body of a gRPC call and answers the status. */
  function rawCall(body: Uint8Array, headers: Record<string, string> = {}): Promise<string> {
    const session = connect(server.url);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/spanwise.session.v1.SessionService/CreateSession',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    return new Promise<string>((resolve, reject) => {
      const answer = ({ 'grpc-status': status }: IncomingHttpHeaders) => {
        if (status !== undefined) {
          resolve(status.toString());
        }
      };
      stream.on('response', answer);
      stream.on('trailers', answer);
      stream.on('error', reject);
      stream.on('close', () => resolve(`closed ${stream.rstCode}`));
      stream.resume();
      stream.end(body);
    }).finally(() => session.destroy());
  }

  const envelope = (payload: Uint8Array, flags = 0) => {
    const head = Buffer.alloc(5);
    head.writeUInt8(flags);
    head.writeUInt32BE(payload.length, 1);
    return Buffer.concat([head, payload]);
  };

  test('refuses an absurd deadline instead of taking it for one millisecond', async () => {
    const body = envelope(toBinary(CreateSessionRequestSchema, create(CreateSessionRequestSchema)));
    expect(await rawCall(body, { 'grpc-timeout': '99999999H' })).toBe(String(Code.InvalidArgument));
    expect(await rawCall(body, { 'grpc-timeout': 'soon' })).toBe(String(Code.InvalidArgument));
  });

  test('refuses a message over the limit, also when it is small before it is unpacked', async () => {
    const large = Buffer.alloc(5 * 1024 * 1024);
    expect(await rawCall(envelope(large))).toBe(String(Code.ResourceExhausted));
    const bomb = envelope(gzipSync(Buffer.alloc(64 * 1024 * 1024)), 1);
    expect(await rawCall(bomb, { 'grpc-encoding': 'gzip' })).toBe(String(Code.ResourceExhausted));
  });

  test.each([
    ['a varint of 12 bytes', Buffer.concat([Buffer.from([8]), Buffer.alloc(12, 0xff)])],
    ['wire type 7', Buffer.from([15])],
    ['nesting 5,000 deep', Buffer.alloc(10_000, 0x0b)],
  ])('refuses %s, and serves the next request', async (_, payload) => {
    expect([Code.InvalidArgument, Code.Internal].map(String)).toContain(await rawCall(envelope(payload)));
    expect((await client().getSession({ sessionId: knownId })).session?.id).toBe(knownId);
  });

  test('refuses headers over the limit', async () => {
    const body = envelope(new Uint8Array());
    const answer = await rawCall(body, { uid: 'x'.repeat(20_000) }).catch(() => 'refused');
    expect(answer).not.toBe('0');
    expect((await client().getSession({ sessionId: knownId })).session?.id).toBe(knownId);
  });

  test('says NOT_SERVING once it drains, finishes what is open, and refuses what is new', async () => {
    const draining = await startTestServer();
    const transport = createGrpcTransport({ baseUrl: draining.url });
    const health = createClient(Health, transport);
    expect((await health.check({ service: '' })).status).toBe(Status.SERVING);
    draining.drain();
    expect((await health.check({ service: '' })).status).toBe(Status.NOT_SERVING);

    const stream = createClient(SessionService, transport).watchSession({ sessionId: knownId })[Symbol.asyncIterator]();
    await stream.next();
    const stopped = draining.stop(200);
    await stream.next();
    expect(await stream.next()).toMatchObject({ done: true });
    await stopped;
    const fresh = createClient(Health, createGrpcTransport({ baseUrl: draining.url }));
    await expect(fresh.check({ service: '' })).rejects.toMatchObject({ code: Code.Unavailable });
  });

  test('says NOT_SERVING while a dependency is away', async () => {
    await using lonely = await startTestServer({ checkReady: () => Promise.reject(new TypeError('no database')) });
    const health = createClient(Health, createGrpcTransport({ baseUrl: lonely.url }));
    expect((await health.check({ service: '' })).status).toBe(Status.NOT_SERVING);
  });

  test('drops a client that does not answer its pings', async () => {
    await using strict = await startTestServer({ limits: { pingIntervalMs: 100, pingTimeoutMs: 100 } });
    await using proxy = await startTcpProxy(strict.port);
    const session = connect(proxy.url);
    session.on('error', () => undefined);
    await new Promise<void>((resolve) => session.once('connect', () => resolve()));
    const closed = new Promise<void>((resolve) => session.once('close', () => resolve()));
    proxy.freeze();
    await closed;
    expect(session.destroyed).toBe(true);
  });
});
