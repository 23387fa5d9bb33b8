import { describe, expect, test } from 'vitest';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { ada, failureOf, never } from './files-fixture.ts';
import { always, isLetGo, listing, page, rawDisks } from './rest-raw-fixture.ts';
import { endlessly, type RawHeaders, rawAnswer, rawHead } from './rest-raw-server.ts';

const at = (text: string) => VirtualPath.parse(text);
const unavailable = { reason: 'DISK_UNAVAILABLE', facts: { disk: 'users' } };
const strong = { etag: '"e"' };
const chunked = { 'transfer-encoding': 'chunked' };
const aChunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;

const against = rawDisks();

describe('bodies', () => {
  test('that end before their announced length are not taken for whole', async () => {
    const { read } = await against((socket) => {
      socket.end(rawHead(206, { ...strong, 'content-length': 10, 'content-range': 'bytes 0-9/10' }) + 'short');
    });
    expect(await failureOf(read())).toEqual(unavailable);
  });

  test('that announce less than their range are not taken for whole', async () => {
    const { read } = await against(always(rawAnswer(206, { ...strong, 'content-range': 'bytes 0-9/10' }, 'short')));
    expect(await failureOf(read())).toEqual(unavailable);
  });

  test('that go on after their announced length are cut there', async () => {
    const { read } = await against(always(rawAnswer(200, { ...strong, 'content-length': 4 }, 'four and more')));
    for (let round = 0; round < 3; round += 1) {
      // The rest is no answer to the next request, which gets a connection of its own or fails.
      const outcome = await read().catch((error: unknown) => failureOf(Promise.reject(error)));
      expect([{ text: 'four', size: 4 }, unavailable]).toContainEqual(outcome);
    }
  });

  test.each([
    ['a range', { ...strong, ...chunked, 'content-range': 'bytes 0-9/10' }, 206],
    ['a page', { ...listing, ...chunked }, 200],
    ['a problem', { ...chunked, 'content-type': 'application/problem+json' }, 404],
  ] as const)('that never end are left: %s', async (_, headers, status) => {
    // They are left for their length, long before the time is over.
    const settings = { timeout_ms: 600_000 };
    const { server, list, read } = await against((socket) => {
      socket.write(rawHead(status, headers));
      endlessly(socket, aChunk);
    }, settings);
    expect(await failureOf(status === 206 ? read() : list())).toEqual(unavailable);
    expect(await isLetGo(server)).toBe(true);
  });

  test('that drip are ended by the time of the whole request', async () => {
    const { server, read, list } = await against(
      (socket, head) => {
        socket.write(rawHead(200, { ...(head.includes('/d/') ? listing : strong), 'content-length': 1000 }));
        endlessly(socket, ' ', 50);
      },
      { timeout_ms: 400 },
    );
    const begun = performance.now();
    expect(await failureOf(read())).toEqual(unavailable);
    expect(await failureOf(list())).toEqual(unavailable);
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(await isLetGo(server)).toBe(true);
  });

  test('that never begin are ended, too', async () => {
    const { stat, put } = await against(() => undefined, { timeout_ms: 300 });
    expect(await failureOf(stat())).toEqual(unavailable);
    expect(await failureOf(put())).toEqual(unavailable);
  });

  test.each(['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip', 'identity\r\ncontent-encoding: gzip'])(
    'are not decoded: %s',
    async (encoding) => {
      const { server, read } = await against(
        always(rawAnswer(200, { ...strong, 'content-encoding': encoding }, '\u001f')),
      );
      expect(await failureOf(read())).toEqual(unavailable);
      expect(server.heads[0]).toMatch(/^accept-encoding: identity$/im);
    },
  );

  test('are not waited for when the caller goes', async () => {
    const { server, disk } = await against((socket) => {
      socket.write(rawHead(200, { ...strong, 'content-length': 1000 }));
      endlessly(socket, ' ', 50);
    });
    const caller = new AbortController();
    const reading = disk.read(ada, at('/x'), { offset: 0, length: 1000 }, caller.signal);
    setTimeout(() => caller.abort(new RangeError('gone')), 100);
    await expect(reading).rejects.toThrow('gone');
    expect(await isLetGo(server)).toBe(true);
  });
});

describe('ranges', () => {
  test('are not cut out of the listing of a directory', async () => {
    const { read } = await against(page([]));
    expect(await failureOf(read())).toEqual({ reason: 'NOT_A_FILE', facts: { path: '/x' } });
  });

  test('are cut out of a whole file, and the rest of it is not waited for', async () => {
    const { server, read } = await against((socket) => {
      socket.write(rawHead(200, { ...strong, 'content-length': 1_000_000_000 }) + '0123456789');
      endlessly(socket, 'x'.repeat(1000));
    });
    expect(await read(3, 4)).toEqual({ text: '3456', size: 1_000_000_000 });
    expect(await isLetGo(server)).toBe(true);
  });

  test('of a whole file end where it ends', async () => {
    const { read } = await against(always(rawAnswer(200, strong, '0123456789')));
    expect(await read(8, 100)).toEqual({ text: '89', size: 10 });
    expect(await read(10, 1)).toEqual({ text: '', size: 10 });
    expect(await read(Number.MAX_SAFE_INTEGER, 10)).toEqual({ text: '', size: 10 });
  });

  test('far within a whole file are not read up to', async () => {
    const { server, read } = await against((socket) => {
      socket.write(rawHead(200, { ...strong, 'content-length': 1_000_000_000 }));
      endlessly(socket, 'x'.repeat(1000));
    });
    expect(await failureOf(read(100_000_000, 4))).toEqual(unavailable);
    expect(await isLetGo(server)).toBe(true);
  });

  test.each([
    ['another beginning', 206, 'bytes 1-4/10', '1234'],
    ['another end', 206, 'bytes 0-2/10', '012'],
    ['more than was asked for', 206, 'bytes 0-9/10', '0123456789'],
    ['no size', 206, 'bytes 0-3/*', '0123'],
    ['a size that is no number', 206, 'bytes 0-3/99999999999999999999', '0123'],
    ['nonsense', 206, 'lines 0-3/10', '0123'],
    ['none at all', 206, undefined, '0123'],
    ['no range of a file that has it', 416, 'bytes */10', ''],
    ['no range and no size', 416, undefined, ''],
    ['no bytes but success', 204, undefined, ''],
  ])('are refused with %s', async (_, status, range, body) => {
    const headers: RawHeaders = range === undefined ? strong : { ...strong, 'content-range': range };
    const { read } = await against(always(rawAnswer(status, headers, body)));
    expect(await failureOf(read(0, 4))).toEqual(unavailable);
  });
});

describe('what is told of files', () => {
  const withLength = { 'content-length': 5 };
  test.each([
    ['no length', { ...strong, ...chunked }],
    ['a length that is none', { ...strong, 'content-length': '5, 5' }],
    ['no etag', withLength],
    ['a weak etag', { ...withLength, etag: 'W/"e"' }],
    ['an etag without quotes', { ...withLength, etag: 'e' }],
    ['an empty etag', { ...withLength, etag: '""' }],
    ['an etag of 300 characters', { ...withLength, etag: `"${'e'.repeat(300)}"` }],
    ['headers without end', { ...withLength, ...strong, 'x-much': 'x'.repeat(20_000) }],
  ])('is refused with %s', async (_, headers: RawHeaders) => {
    const { stat } = await against(always(rawHead(200, headers)));
    expect(await failureOf(stat())).toEqual(unavailable);
  });

  test('has no etag where the server has no strong ones, and guards are refused without a request', async () => {
    const headers = { ...withLength, etag: 'W/"e"', 'last-modified': 'Wed, 25 Nov 2026 16:00:00 GMT' };
    const settings = { if_match: false, create_only: false };
    const { server, disk, stat, put } = await against(always(rawHead(200, headers)), settings);
    expect(await stat()).toEqual({ kind: 'file', size: 5, etag: '', modifyTimeMs: Date.UTC(2026, 10, 25, 16) });
    expect(disk.capabilities).toEqual({ ifMatch: false, createOnly: false, atomic: false });
    const refused = [
      put({ ifMatch: 'e' }),
      put({ createOnly: true }),
      disk.remove(ada, at('/x'), { isRecursive: false, ifMatch: 'e' }, never),
    ];
    for (const each of refused) {
      expect(await failureOf(each)).toEqual({ reason: 'DISK_UNSUPPORTED', facts: { disk: 'users' } });
    }
    expect(server.heads).toHaveLength(1);
  });

  test('has no time where the server tells none, or nonsense', async () => {
    const { stat } = await against(always(rawHead(200, { ...withLength, ...strong, 'last-modified': 'yesterday' })));
    expect(await stat()).toEqual({ kind: 'file', size: 5, etag: 'e', modifyTimeMs: undefined });
  });

  test.each([
    ['missing', rawHead(404)],
    ['a file', rawHead(200, { ...withLength, ...strong })],
  ])('does not make the root %s', async (_, head) => {
    const { stat } = await against(always(head));
    expect(await failureOf(stat('/'))).toEqual(unavailable);
  });
});

describe('guards', () => {
  test.each([
    ['If-Match', { ifMatch: 'e' }, 201],
    ['If-None-Match', { createOnly: true }, 204],
  ])('that a server ignores are no success: %s', async (_, guard, status) => {
    const { put } = await against(always(rawHead(status, { ...strong, 'content-length': 0 })));
    expect(await failureOf(put(guard))).toEqual(unavailable);
  });

  test.each(['', 'a"b', '", "x', 'a\r\nx: y', '*\n', 'é', 'x'.repeat(300)])(
    'with an etag that no file can have do not reach the server: %j',
    async (ifMatch) => {
      const { server, put } = await against(always(rawHead(200, { ...strong, 'content-length': 3 })));
      expect(await failureOf(put({ ifMatch }))).toEqual({ reason: 'ETAG_MISMATCH', facts: { path: '/x', etag: 'e' } });
      expect(server.heads.map((head) => head.split(' ', 1)[0])).toEqual(['HEAD']);
    },
  );

  test('are no failure that nobody has set', async () => {
    const { disk } = await against(always(rawAnswer(412)));
    expect(await failureOf(disk.makeDirectory(ada, at('/d'), never))).toEqual(unavailable);
    expect(await failureOf(disk.rename(ada, at('/d'), at('/e'), never))).toEqual(unavailable);
  });
});
