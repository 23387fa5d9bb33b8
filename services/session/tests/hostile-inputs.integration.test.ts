import { once } from 'node:events';
import { connect } from 'node:http2';
import { Code } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failing, input, readRun, type SessionServer, startSessionServer } from './doubles/session-server.ts';

let server: SessionServer;
let sessionId: string;
let runId: string;
beforeAll(async () => {
  server = await startSessionServer(async (run) => {
    await run.started.promise;
    await run.answer('an answer');
    run.finish();
  });
  sessionId = await server.newSession();
  for (let n = 0; n < 3; n += 1) {
    const { run } = await readRun(server.alice.runSession({ sessionId, input: input() }));
    runId = run?.id ?? '';
  }
});
afterAll(() => server[Symbol.asyncDispose]());

/** The connection that was attacked serves the next request. */
async function expectUnharmed(): Promise<void> {
  expect((await server.alice.getSession({ sessionId })).session?.id).toBe(sessionId);
}

const badIds = {
  empty: '',
  'of 10,000 characters': 'a'.repeat(10_000),
  SQL: "' OR 1=1--",
  'with NUL': '01890000-0000-7000-8000-0000000000f\0',
  'with a space behind': ' ',
} as const;

describe('an id', () => {
  test.each(Object.entries(badIds))('%s is INVALID_ARGUMENT for a session and for a run', async (_, bad) => {
    const id = bad === ' ' ? `${sessionId} ` : bad;
    const calls = [
      server.alice.getSession({ sessionId: id }),
      server.alice.deleteSession({ sessionId: id, cancelActiveRun: true }),
      server.alice.startRun({ sessionId: id, input: input() }),
      readRun(server.alice.runSession({ sessionId: id, input: input() })),
      Array.fromAsync(server.alice.watchSession({ sessionId: id })),
      server.alice.listMessages({ sessionId: id }),
      server.alice.getRun({ sessionId, runId: id }),
      server.alice.listSpans({ sessionId, runId: id }),
    ];
    const refused = { code: Code.InvalidArgument, reason: 'INVALID_FIELD' };
    expect(await Promise.all(calls.map(failing))).toMatchObject(calls.map(() => refused));
    await expectUnharmed();
  });

  test('in upper case is no match', async () => {
    const failures = await Promise.all([
      failing(server.alice.getSession({ sessionId: sessionId.toUpperCase() })),
      failing(server.alice.getRun({ sessionId, runId: runId.toUpperCase() })),
    ]);
    expect(failures.map(({ code }) => code)).toEqual([Code.NotFound, Code.NotFound]);
  });
});

describe('a cursor', () => {
  const greatest = 2n ** 63n - 1n;

  test.each([
    [-2n, Code.InvalidArgument],
    [-(2n ** 63n), Code.InvalidArgument],
    [1000n, Code.OutOfRange],
    [greatest, Code.OutOfRange],
  ])('of %s is refused by WatchSession', async (afterSeq, code) => {
    expect(await failing(Array.fromAsync(server.alice.watchSession({ sessionId, afterSeq })))).toMatchObject({ code });
    await expectUnharmed();
  });

  test('of -1 or far beyond the log', async () => {
    const request = { sessionId, input: input(), requestId: 'cursor' };
    await readRun(server.alice.runSession(request));
    expect(await failing(readRun(server.alice.runSession({ ...request, afterSeq: -1n })))).toMatchObject({
      code: Code.InvalidArgument,
    });
    expect(await failing(readRun(server.alice.runSession({ ...request, afterSeq: greatest })))).toMatchObject({
      code: Code.OutOfRange,
    });
    expect((await server.alice.listEvents({ sessionId, afterSeq: greatest })).events).toEqual([]);
    expect(await failing(server.alice.listEvents({ sessionId, afterSeq: -1n }))).toMatchObject({
      code: Code.InvalidArgument,
    });
  });
});

describe('a page token', () => {
  const refused = { code: Code.InvalidArgument, reason: 'INVALID_PAGE_TOKEN' };

  test('that is random, cut, changed in one bit or too long is refused', async () => {
    const { nextPageToken } = await server.alice.listRuns({ sessionId, pageSize: 1 });
    const bytes = Buffer.from(nextPageToken, 'base64url');
    bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20);
    const tokens = [
      'random',
      '====',
      '\0',
      nextPageToken.slice(0, -1),
      `${nextPageToken}A`,
      ` ${nextPageToken}`,
      bytes.toString('base64url'),
    ];
    for (const pageToken of tokens) {
      expect(await failing(server.alice.listRuns({ sessionId, pageToken }))).toMatchObject(refused);
    }
    expect(await failing(server.alice.listRuns({ sessionId, pageToken: 'A'.repeat(1025) }))).toMatchObject({
      code: Code.InvalidArgument,
    });
    await expectUnharmed();
  });

  test('of another list, session or user is refused', async () => {
    const { nextPageToken: pageToken } = await server.alice.listEvents({ sessionId, pageSize: 1 });
    const other = await server.newSession();
    await server.bob.createSession({});
    const { nextPageToken: ofSessions } = await server.alice.listSessions({ pageSize: 1 });
    const calls = [
      server.alice.listRuns({ sessionId, pageToken }),
      server.alice.listMessages({ sessionId, pageToken }),
      server.alice.listSpans({ sessionId, runId, pageToken }),
      server.alice.listEvents({ sessionId: other, pageToken }),
      server.alice.listEvents({ sessionId, runId, pageToken }),
      server.bob.listSessions({ pageToken: ofSessions }),
    ];
    expect(await Promise.all(calls.map(failing))).toMatchObject(calls.map(() => refused));
    expect((await server.alice.listEvents({ sessionId, pageSize: 3, pageToken })).events).toHaveLength(3);
  });
});

test('a page size is capped, and refused when it is negative', async () => {
  const other = await server.newSession();
  for (let n = 0; n < 30; n += 1) {
    await readRun(server.alice.runSession({ sessionId: other, input: input(), live: false }));
  }
  const sizes = await Promise.all(
    [0, 1, 200, 201, 2 ** 31 - 1].map((pageSize) => server.alice.listEvents({ sessionId: other, pageSize })),
  );
  expect(sizes.map(({ events }) => events.length)).toEqual([50, 1, 200, 200, 200]);
  expect(await failing(server.alice.listEvents({ sessionId, pageSize: -1 }))).toMatchObject({
    code: Code.InvalidArgument,
  });
  await expectUnharmed();
});

describe('input', () => {
  test.each([
    ['no message', []],
    ['a message without a part', [{ parts: [] }]],
    ['a part without content', [{ parts: [{}] }]],
    ['an empty text', input('')],
    ['seventeen messages', Array.from({ length: 17 }, () => input()).flat()],
  ])('with %s is INVALID_ARGUMENT', async (_, bad) => {
    const refused = { code: Code.InvalidArgument, reason: 'INVALID_FIELD' };
    expect(await failing(server.alice.startRun({ sessionId, input: bad }))).toMatchObject(refused);
    expect(await failing(readRun(server.alice.runSession({ sessionId, input: bad })))).toMatchObject(refused);
    await expectUnharmed();
  });

  test('of SQL, NUL and marks is kept as it is', async () => {
    const text = `'; drop table runs; -- \0 \u{10ffff} \u202e <script>`;
    const requestId = "'; drop table runs; --";
    const other = await server.newSession();
    await readRun(server.alice.runSession({ sessionId: other, input: input(text), requestId }));
    const { messages } = await server.alice.listMessages({ sessionId: other });
    expect(messages[0]?.parts[0]?.part.value).toMatchObject({ text });
    expect((await server.alice.listRuns({ sessionId: other })).runs[0]?.requestId).toBe(requestId);
  });

  test.each([' r', 'r ', '\0', 'r\n', 'é', 'r'.repeat(129)])(
    'with the request id %o is INVALID_ARGUMENT',
    async (requestId) => {
      const refused = { code: Code.InvalidArgument, reason: 'INVALID_FIELD' };
      expect(await failing(server.alice.startRun({ sessionId, input: input(), requestId }))).toMatchObject(refused);
      expect(await failing(server.alice.createSession({ requestId }))).toMatchObject(refused);
      await expectUnharmed();
    },
  );

  test('over the limit of a message is RESOURCE_EXHAUSTED', async () => {
    const parts = Array.from({ length: 5 }, () => ({ part: { case: 'text' as const, value: 'x'.repeat(999_999) } }));
    const call = server.alice.startRun({ sessionId, input: [{ parts }] });
    expect(await failing(call)).toMatchObject({ code: Code.ResourceExhausted });
    await expectUnharmed();
  });
});

describe('bytes that are no message', () => {
  /** Sends a gRPC envelope over one connection, and then a good request over the same one. */
  async function send(body: Buffer) {
    const connection = connect(server.url);
    const call = async (path: string, message: Buffer) => {
      const headers = {
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        uid: 'alice',
      };
      const stream = connection.request(headers);
      let status: unknown;
      stream.on('response', (response) => (status = response['grpc-status'] ?? status));
      stream.on('trailers', (trailers) => (status = trailers['grpc-status'] ?? status));
      stream.on('error', () => undefined);
      stream.end(message);
      stream.resume();
      await once(stream, 'close');
      return Number(status);
    };
    const status = await call('/spanwise.session.v1.SessionService/StartRun', body);
    const next = await call('/spanwise.session.v1.SessionService/ListSessions', Buffer.alloc(5));
    connection.close();
    return [status, next];
  }
  const envelope = (message: Buffer, length = message.length) => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(length, 1);
    return Buffer.concat([head, message]);
  };
  test.each([
    ['a varint of twelve bytes', envelope(Buffer.from([0x08, ...Array.from({ length: 12 }, () => 0xff)]))],
    ['a wire type that does not exist', envelope(Buffer.from([0x0f, 0x01]))],
    ['text that is no UTF-8', envelope(Buffer.from([0x0a, 0x02, 0xff, 0xfe]))],
    ['a field longer than the message', envelope(Buffer.from([0x0a, 0x7f, 0x41]))],
    ['nesting of 5,000 groups', envelope(Buffer.alloc(5000, 0x1b))],
    [
      'nesting of 5,000 groups that are closed',
      envelope(Buffer.concat([Buffer.alloc(5000, 0x7b), Buffer.alloc(5000, 0x7c)])),
    ],
    ['an envelope longer than its body', envelope(Buffer.from([0x0a]), 100)],
    ['an envelope that is cut', Buffer.from([0, 0])],
    ['no envelope', Buffer.alloc(0)],
    ['a body that claims to be compressed', Buffer.concat([Buffer.from([1, 0, 0, 0, 1]), Buffer.from([7])])],
  ])('%s gets a status, and its connection goes on', async (_, body) => {
    const [status = -1, next] = await send(body);
    expect([Code.InvalidArgument, Code.Internal, Code.Unimplemented]).toContain(status);
    expect(next).toBe(0);
  });
});
