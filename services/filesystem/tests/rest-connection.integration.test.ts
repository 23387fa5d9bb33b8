import { inspect } from 'node:util';
import { DomainError } from '@spanwise/kernel';
import { describe, expect, test } from 'vitest';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { ada, failureOf, never, utf8 } from './files-fixture.ts';
import { rawDisks } from './rest-raw-fixture.ts';
import { type RawHeaders, type RawScript, rawAnswer, rawHead, startRawServer } from './rest-raw-server.ts';

const at = (text: string) => VirtualPath.parse(text);
const facts = { disk: 'users' };
const aFile = rawHead(200, { etag: '"e"', 'content-length': 5 });

const open = rawDisks();

async function against(script: RawScript, settings: Readonly<Record<string, unknown>> = {}) {
  const { server, disk } = await open(script, { timeout_ms: 30_000, ...settings });
  const operations = {
    stat: () => disk.stat(ada, at('/d/x'), never),
    list: () => disk.list(ada, at('/d/x'), { after: '', limit: 10, withEtags: true }, never),
    read: () => disk.read(ada, at('/d/x'), { offset: 0, length: 5 }, never),
    write: () => disk.write(ada, at('/d/x'), utf8('12345'), {}, never),
    remove: () => disk.remove(ada, at('/d/x'), { isRecursive: false }, never),
    rename: () => disk.rename(ada, at('/d/x'), at('/e/y'), never),
    makeDirectory: () => disk.makeDirectory(ada, at('/d/x'), never),
  };
  return { server, operations };
}

async function errorOf(work: Promise<unknown>): Promise<DomainError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof DomainError ? error : expect.fail(`not refused as it should be: ${inspect(error)}`);
}

const answering = (status: number, headers: RawHeaders = {}, body: string = ''): RawScript => {
  return (socket, head) =>
    socket.write(head.startsWith('HEAD') ? rawHead(status, headers) : rawAnswer(status, headers, body));
};

describe('redirects', () => {
  test.each([300, 301, 302, 303, 304, 307, 308])(
    'are not followed, and carry no token anywhere: %i',
    async (status) => {
      await using elsewhere = await startRawServer((socket) => socket.write(aFile));
      const { operations, server } = await against(
        (socket) => socket.write(rawAnswer(status, { location: `${elsewhere.baseUrl}/d/x` })),
        { auth: 'forward_user' },
      );
      for (const operation of Object.values(operations)) {
        expect(await failureOf(operation())).toEqual({ reason: 'DISK_UNAVAILABLE', facts });
      }
      expect(elsewhere.heads).toEqual([]);
      expect(server.heads).toHaveLength(7);
    },
  );
});

describe('a connection that the server closes', () => {
  test('costs a read one more request', async () => {
    const { server, operations } = await against((socket, _, index) => {
      if (index % 2 === 0) {
        socket.destroy();
      } else {
        socket.write(aFile + '12345'.repeat(index === 1 ? 0 : 1));
      }
    });
    expect(await operations.stat()).toMatchObject({ size: 5 });
    expect(await operations.read()).toMatchObject({ data: utf8('12345') });
    expect(server.heads).toHaveLength(4);
  });

  test('costs no third request', async () => {
    const { server, operations } = await against((socket) => socket.destroy());
    expect(await failureOf(operations.stat())).toEqual({ reason: 'DISK_UNAVAILABLE', facts });
    expect(server.heads).toHaveLength(2);
  });

  test.each(['write', 'remove', 'rename', 'makeDirectory'] as const)(
    'fails a change, which may have happened: %s',
    async (name) => {
      const { server, operations } = await against((socket) => socket.destroy());
      expect(await failureOf(operations[name]())).toEqual({ reason: 'DISK_UNAVAILABLE', facts });
      expect(server.heads).toHaveLength(1);
    },
  );

  test('makes nothing of a server that is not there', async () => {
    const { server, operations } = await against(() => undefined);
    await server[Symbol.asyncDispose]();
    expect(await failureOf(operations.stat())).toEqual({ reason: 'DISK_UNAVAILABLE', facts });
  });
});

test('has a bounded number of connections, which it uses again', async () => {
  const { server, operations } = await against((socket) => void setTimeout(() => socket.write(`${aFile}12345`), 5));
  await Promise.all(Array.from({ length: 200 }, () => operations.read()));
  expect(server.heads).toHaveLength(200);
  expect(server.connections).toEqual({ now: 32, most: 32, all: 32 });
});

test('takes no body of a HEAD for the answer to what is asked next', async () => {
  const kept = rawHead(200, { etag: '"e"', 'content-length': 5, connection: 'keep-alive' });
  const late = new WeakSet<object>();
  const { operations } = await against((socket, head) => {
    if (head.startsWith('HEAD')) {
      late.add(socket);
      socket.write(kept);
    } else {
      // The body of the HEAD, as it may come when the server is slow.
      socket.write(`${late.has(socket) ? `${kept}FORGE` : ''}${kept}12345`);
    }
  });
  expect(await operations.stat()).toMatchObject({ size: 5 });
  // More than there are connections, so that every one of them is used.
  const reads = Array.from({ length: 100 }, () => operations.read());
  expect(await Promise.all(reads)).toEqual(reads.map(() => expect.objectContaining({ data: utf8('12345') })));
});

describe('an answer without a reason', () => {
  const x = { path: '/d/x' };
  test.each([
    [400, 'write', { reason: 'PATH_INVALID', facts: { ...x, why: 'its disk does not take it' } }],
    [403, 'write', { reason: 'FILE_ACCESS_DENIED', facts: x }],
    [403, 'stat', { reason: 'FILE_ACCESS_DENIED', facts: x }],
    [404, 'read', { reason: 'FILE_NOT_FOUND', facts: x }],
    [404, 'list', { reason: 'FILE_NOT_FOUND', facts: x }],
    [404, 'rename', { reason: 'FILE_NOT_FOUND', facts: x }],
    [410, 'remove', { reason: 'FILE_NOT_FOUND', facts: x }],
    [405, 'rename', { reason: 'DISK_UNSUPPORTED', facts }],
    [501, 'makeDirectory', { reason: 'DISK_UNSUPPORTED', facts }],
    [409, 'read', { reason: 'NOT_A_FILE', facts: x }],
    [409, 'list', { reason: 'NOT_A_DIRECTORY', facts: x }],
    [409, 'write', { reason: 'NOT_A_FILE', facts: x }],
    [409, 'remove', { reason: 'DIRECTORY_NOT_EMPTY', facts: x }],
    [409, 'rename', { reason: 'FILE_EXISTS', facts: { path: '/e/y' } }],
    [409, 'makeDirectory', { reason: 'NOT_A_DIRECTORY', facts: x }],
    [413, 'write', { reason: 'FILE_TOO_LARGE', facts: { ...x, limit_bytes: 4 } }],
    [414, 'stat', { reason: 'PATH_INVALID', facts: { ...x, why: 'too long for its disk' } }],
    [401, 'stat', { reason: 'DISK_UNAVAILABLE', facts }],
    [418, 'read', { reason: 'DISK_UNAVAILABLE', facts }],
    [423, 'write', { reason: 'DISK_UNAVAILABLE', facts }],
    [429, 'read', { reason: 'DISK_UNAVAILABLE', facts }],
    [500, 'stat', { reason: 'DISK_UNAVAILABLE', facts }],
    [507, 'write', { reason: 'DISK_UNAVAILABLE', facts }],
    [202, 'write', { reason: 'DISK_UNAVAILABLE', facts }],
    [206, 'list', { reason: 'DISK_UNAVAILABLE', facts }],
  ] as const)('of status %i means what it can only mean: %s', async (status, name, failure) => {
    const { operations } = await against(answering(status));
    expect(await failureOf(operations[name]())).toEqual(failure);
  });

  test.each([
    ['7', 7000],
    ['0', 1000],
    ['1000000', 60_000],
    ['soon', 1000],
  ])('tells when to try again: %s', async (retryAfter, retryAfterMs) => {
    const { operations } = await against(answering(503, { 'retry-after': retryAfter }));
    expect(await errorOf(operations.stat())).toMatchObject({ reason: 'DISK_UNAVAILABLE', retryAfterMs });
  });

  test('tells when to try again by a date, too', async () => {
    const { operations } = await against((socket) => {
      socket.write(rawHead(503, { 'retry-after': new Date(Date.now() + 20_000).toUTCString() }));
    });
    const { retryAfterMs } = await errorOf(operations.stat());
    expect(retryAfterMs).toBeGreaterThan(15_000);
    expect(retryAfterMs).toBeLessThanOrEqual(20_000);
  });
});

describe('a problem document', () => {
  const problem = { 'content-type': 'application/problem+json' };
  test.each([
    [
      { reason: 'NOT_A_DIRECTORY', path: '/d' },
      { reason: 'NOT_A_DIRECTORY', facts: { path: '/d' } },
    ],
    [
      { reason: 'NOT_A_DIRECTORY', path: '/' },
      { reason: 'NOT_A_DIRECTORY', facts: { path: '/' } },
    ],
    [
      { reason: 'NOT_A_DIRECTORY', path: '/d/x' },
      { reason: 'NOT_A_DIRECTORY', facts: { path: '/d/x' } },
    ],
    [
      { reason: 'NOT_A_DIRECTORY', path: '/etc' },
      { reason: 'NOT_A_DIRECTORY', facts: { path: '/d/x' } },
    ],
    [
      { reason: 'NOT_A_DIRECTORY', path: '/d/../../x' },
      { reason: 'NOT_A_DIRECTORY', facts: { path: '/d/x' } },
    ],
    [
      { reason: 'NOT_A_DIRECTORY', path: 7 },
      { reason: 'NOT_A_DIRECTORY', facts: { path: '/d/x' } },
    ],
    [{ reason: 'FILE_EXISTS' }, { reason: 'FILE_EXISTS', facts: { path: '/d/x' } }],
    [{ reason: 'FENCED' }, { reason: 'NOT_A_FILE', facts: { path: '/d/x' } }],
    [{ reason: ['FILE_EXISTS'] }, { reason: 'NOT_A_FILE', facts: { path: '/d/x' } }],
    [[], { reason: 'NOT_A_FILE', facts: { path: '/d/x' } }],
  ])('says no more than a reason and what is in the way: %j', async (body, failure) => {
    const { operations } = await against(answering(409, problem, JSON.stringify(body)));
    expect(await failureOf(operations.write())).toEqual(failure);
  });

  test('tells the longest file that the server takes', async () => {
    const { operations } = await against(answering(413, problem, '{"limit_bytes": 3}'));
    expect(await failureOf(operations.write())).toEqual({
      reason: 'FILE_TOO_LARGE',
      facts: { path: '/d/x', limit_bytes: 3 },
    });
  });

  test.each(['{"reason": "FILE_EX', 'null', '', '\u0000'])('that is none is passed over: %j', async (body) => {
    const { operations } = await against(answering(409, problem, body));
    expect(await failureOf(operations.write())).toEqual({ reason: 'NOT_A_FILE', facts: { path: '/d/x' } });
  });
});

test('repeats nothing of what a server says, which may be the token that it got', async () => {
  for (const status of [301, 400, 401, 403, 404, 409, 412, 413, 418, 500, 503, 200]) {
    const { operations } = await against(
      (socket, head) => {
        const token = /bearer (\S+)/i.exec(head)?.[1] ?? expect.fail('no token came');
        const echo = { etag: `"${token}`, location: `http://127.0.0.1/${token}`, 'www-authenticate': token };
        const body = JSON.stringify({ detail: token, title: token, reason: token, path: token });
        const headers = { ...echo, 'content-type': 'application/problem+json' };
        socket.write(head.startsWith('HEAD') ? rawHead(status, headers) : rawAnswer(status, headers, body));
      },
      { auth: 'forward_user' },
    );
    for (const operation of Object.values(operations)) {
      const outcome: unknown = await operation().catch((error: unknown) => error);
      expect(inspect(outcome, { depth: 20, showHidden: true })).not.toContain(ada.token);
    }
  }
});

test.each([
  ['resets', (socket: Parameters<RawScript>[0]) => socket.resetAndDestroy()],
  ['speaks nonsense', (socket: Parameters<RawScript>[0]) => void socket.end('SSH-2.0-OpenSSH\r\n')],
  ['says nothing', () => undefined],
])('keeps the token out of what is told of a connection that %s', async (_, script) => {
  const { operations } = await against(script, { auth: 'forward_user', timeout_ms: 200 });
  for (const operation of Object.values(operations)) {
    const error = await errorOf(operation());
    expect(error.reason).toBe('DISK_UNAVAILABLE');
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(ada.token);
  }
});
