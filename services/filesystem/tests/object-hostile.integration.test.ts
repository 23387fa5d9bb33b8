import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { DomainError } from '@spanwise/kernel';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { maxStreamedBytes } from '../src/domain/disk/file-store.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import type { OpenDisk } from '../src/infrastructure/disks/disk-kind.ts';
import { ada, failureOf, never, utf8 } from './files-fixture.ts';
import { openObjectDisk, rootPrefix } from './object-fixture.ts';
import { refuse, S3Stub, type StubFault, stubCredentials } from './s3-stub.ts';

const at = (text: string) => VirtualPath.parse(text);
const unavailable = { reason: 'DISK_UNAVAILABLE', facts: { disk: 'archive' } };
const timeoutMs = 400;
const listAll = { after: '', limit: 100, withEtags: false };

let stub: S3Stub;
let disk: OpenDisk;
beforeEach(async () => {
  stub = await S3Stub.open();
  disk = await openObjectDisk(stub.endpoint, { timeout_ms: timeoutMs });
  stub.plant(`${rootPrefix}x`, '0123456789');
});
afterEach(() => stub[Symbol.asyncDispose]());

const read = (signal = never) => disk.read(ada, at('/x'), { offset: 2, length: 5 }, signal);
const list = (signal = never) => disk.list(ada, at('/'), listAll, signal);
const answerReads = (fault: StubFault) => {
  stub.fault = ({ method, isListing }) => (method === 'GET' && !isListing ? fault : undefined);
};
const answerLists = (fault: StubFault) => {
  stub.fault = ({ isListing }) => (isListing ? fault : undefined);
};
const listing = (inner: string) => `<ListBucketResult><MaxKeys>1000</MaxKeys>${inner}</ListBucketResult>`;
const contents = (key: string) =>
  `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"e"</ETag><Size>1</Size></Contents>`;

async function caughtFrom(work: Promise<unknown>): Promise<DomainError> {
  const error: unknown = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (error instanceof DomainError) {
    return error;
  }
  throw new TypeError('it did not fail as a DomainError');
}

test.each<[string, StubFault]>([
  [
    'cut off',
    (response) => {
      response.writeHead(206, { 'content-length': '5' }).write('23');
      setTimeout(() => response.destroy(), 20);
    },
  ],
  ['shorter than asked for', (response) => response.writeHead(206).end('23')],
  ['empty', (response) => response.writeHead(206).end()],
  ['the whole file', (response) => response.writeHead(200).end('0123456789')],
  ['longer than asked for', (response) => response.writeHead(206).end('0'.repeat(100_000))],
  ['a refusal of the range', (response) => refuse(response, 416, 'InvalidRange')],
])('does not take a body for what was asked for that is %s', async (_, fault) => {
  answerReads(fault);
  expect(await failureOf(read())).toEqual(unavailable);
  stub.fault = undefined;
  expect(Buffer.from((await read()).data).toString()).toBe('23456');
});

test('tells when a store that is busy wants to be asked again, and nothing of its addresses and keys', async () => {
  stub.fault = () => (response) => {
    response.setHeader('retry-after', '7');
    refuse(response, 503, 'SlowDown');
  };
  const asked = [read(), list(), disk.stat(ada, at('/x'), never), disk.write(ada, at('/x'), utf8('new'), {}, never)];
  for (const error of await Promise.all(asked.map(caughtFrom))) {
    expect([error.reason, error.retryAfterMs]).toEqual(['DISK_UNAVAILABLE', 7000]);
    expect(String(error.cause)).toMatch(/^(stat|list) failed: (Unexpected 503|RateLimited 503 SlowDown)$/);
    const told = `${error.message} ${String(error.cause)} ${error.stack}`;
    expect(told).not.toMatch(/127\.0\.0\.1|AWS4-HMAC|Signature/);
    expect(told).not.toContain(stubCredentials.accessKeyId);
  }
});

test('changes nothing a second time by itself', async () => {
  stub.fault = ({ method }) => (method === 'PUT' ? (response) => refuse(response, 503, 'SlowDown') : undefined);
  const before = stub.log.length;
  expect(await failureOf(disk.write(ada, at('/x'), utf8('new'), {}, never))).toEqual(unavailable);
  expect(stub.log.slice(before).filter(({ method }) => method === 'PUT')).toHaveLength(1);
});

test('writes again when the store says that somebody else is at it', async () => {
  let conflicts = 3;
  stub.fault = ({ method }) => {
    conflicts -= method === 'PUT' ? 1 : 0;
    return method === 'PUT' && conflicts >= 0
      ? (response) => refuse(response, 409, 'ConditionalRequestConflict')
      : undefined;
  };
  expect(await disk.write(ada, at('/y'), utf8('new'), { createOnly: true }, never)).toMatchObject({ isCreated: true });
});

test('ends in time whatever is never answered', async () => {
  stub.fault = () => () => undefined;
  const asked = [
    read(),
    list(),
    disk.stat(ada, at('/x'), never),
    disk.write(ada, at('/x'), utf8('new'), {}, never),
    disk.remove(ada, at('/x'), { isRecursive: false }, never),
  ];
  const begun = performance.now();
  expect(await Promise.all(asked.map(failureOf))).toEqual(asked.map(() => unavailable));
  expect(performance.now() - begun).toBeLessThan(4 * timeoutMs);
});

test('ends in time when a body drips', async () => {
  answerReads((response) => {
    response.writeHead(206, { 'content-length': '5' });
    const drip = setInterval(() => response.write('2'), timeoutMs / 2);
    response.on('close', () => clearInterval(drip));
  });
  const begun = performance.now();
  expect(await failureOf(read())).toEqual(unavailable);
  expect(performance.now() - begun).toBeLessThan(3 * timeoutMs);
});

test('lets readers go at once, and those who change something when it has ended', async () => {
  stub.fault = () => () => undefined;
  const gone = new AbortController();
  const reading = read(gone.signal);
  setTimeout(() => gone.abort(new RangeError('gone')), 20);
  const begun = performance.now();
  await expect(reading).rejects.toThrow('gone');
  expect(performance.now() - begun).toBeLessThan(timeoutMs / 2);

  const leaving = new AbortController();
  let wasAnswered = false;
  stub.fault = ({ method, key }) =>
    method === 'PUT' && !wasAnswered
      ? (response) => {
          leaving.abort(new RangeError('gone'));
          setTimeout(() => {
            wasAnswered = true;
            stub.plant(key, 'new');
            response.setHeader('etag', '"e"').end();
          }, 100);
        }
      : undefined;
  await expect(disk.write(ada, at('/x'), utf8('new'), {}, leaving.signal)).rejects.toThrow('gone');
  expect(wasAnswered).toBe(true);
});

test('has a bounded number of requests under way, also when nobody waits for them any more', async () => {
  let open = 0;
  let most = 0;
  stub.fault = () => (response) => {
    open += 1;
    most = Math.max(most, open);
    response.on('close', () => {
      open -= 1;
    });
  };
  const gone = AbortSignal.timeout(50);
  await Promise.allSettled(Array.from({ length: 100 }, () => disk.stat(ada, at('/x'), gone)));
  await Promise.allSettled(Array.from({ length: 100 }, () => disk.stat(ada, at('/x'), never)));
  expect(most).toBeLessThanOrEqual(32);
  stub.fault = undefined;
  await delay(timeoutMs);
  expect(await disk.stat(ada, at('/x'), never)).toMatchObject({ size: 10 });
});

test('does not read a listing that never ends', async () => {
  let pages = 0;
  answerLists((response) => {
    pages += 1;
    response.end(listing('<IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken>'));
  });
  expect(await failureOf(list())).toEqual(unavailable);
  await delay(100);
  const before = pages;
  await delay(100);
  expect(pages).toBe(before);
});

test('reads only so much of a listing, however many keys it tells', async () => {
  let pages = 0;
  answerLists((response) => {
    pages += 1;
    const keys = Array.from({ length: 1000 }, (_, index) => contents(`${rootPrefix}page${pages}/${index}`));
    response.end(
      listing(
        `<IsTruncated>true</IsTruncated><NextContinuationToken>t${pages}</NextContinuationToken>${keys.join('')}`,
      ),
    );
  });
  const failure = (await failureOf(list())) as { reason: string };
  expect(['DISK_UNSUPPORTED', 'DISK_UNAVAILABLE']).toContain(failure.reason);
  expect(pages).toBeLessThanOrEqual(102);
});

test('takes no key of a listing for its own that lies elsewhere', async () => {
  const keys = ['secret.txt', 'tenant/secret.txt', 'tenant/files', 'tenant/files-evil/y', '/', '/etc/passwd', 'é', ''];
  answerLists((response) => {
    response.end(listing(`<IsTruncated>false</IsTruncated>${[...keys, `${rootPrefix}y`].map(contents).join('')}`));
  });
  const page = await list();
  expect(page.entries.map(({ name }) => name)).toEqual(['y']);
  const before = stub.log.length;
  await failureOf(disk.remove(ada, at('/d'), { isRecursive: true }, never));
  expect(stub.log.slice(before).filter(({ key }) => !key.startsWith(rootPrefix))).toEqual([]);
});

test.each([
  ['no XML', 'this is no listing'],
  ['XML of something else', '<html><body>sign in</body></html>'],
  ['nothing', ''],
])('fails or finds nothing when a listing is %s', async (_, body) => {
  answerLists((response) => response.end(body));
  const told = await list().then(
    ({ entries }) => entries,
    (error: unknown) => (error as DomainError).reason,
  );
  expect([[], 'DISK_UNAVAILABLE']).toContainEqual(told);
});

test('gives its credentials to nobody else when a read is redirected', async () => {
  const asked: (string | undefined)[] = [];
  const elsewhere = createServer((request, response) => {
    asked.push(request.headers.authorization);
    response.writeHead(206, { 'content-length': '5' }).end('other');
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/elsewhere`;
  try {
    stub.fault = () => (response) => response.writeHead(307, { location }).end();
    await failureOf(read());
    expect(await failureOf(disk.write(ada, at('/x'), utf8('new'), {}, never))).toEqual(unavailable);
    expect(asked.filter((authorization) => authorization !== undefined)).toEqual([]);
  } finally {
    elsewhere.closeAllConnections();
    elsewhere.close();
  }
});

test('moves no file that it could not read whole, or that changes meanwhile', async () => {
  stub.plant(`${rootPrefix}large/file`, 'x'.repeat(maxStreamedBytes + 1));
  const before = [...stub.objects.keys()];
  expect(await failureOf(disk.rename(ada, at('/large'), at('/moved'), never))).toMatchObject({
    reason: 'FILE_TOO_LARGE',
    facts: { path: '/large/file' },
  });
  expect([...stub.objects.keys()]).toEqual(before);
  stub.fault = ({ method, key }) => {
    if (method === 'PUT' && key === `${rootPrefix}y`) {
      stub.plant(`${rootPrefix}x`, 'written by somebody else');
    }
    return undefined;
  };
  expect(await failureOf(disk.rename(ada, at('/x'), at('/y'), never))).toEqual(unavailable);
  expect(Buffer.from(stub.objects.get(`${rootPrefix}x`)?.data ?? []).toString()).toBe('written by somebody else');
  expect(stub.objects.has(`${rootPrefix}y`)).toBe(false);
});

test('replaces nothing by a move that somebody else has put there meanwhile', async () => {
  stub.fault = ({ method, key }) => {
    if (method === 'PUT' && key === `${rootPrefix}y`) {
      stub.plant(key, 'written by somebody else');
    }
    return undefined;
  };
  expect(await failureOf(disk.rename(ada, at('/x'), at('/y'), never))).toMatchObject({ reason: 'FILE_EXISTS' });
  expect(Buffer.from(stub.objects.get(`${rootPrefix}y`)?.data ?? []).toString()).toBe('written by somebody else');
  expect(Buffer.from(stub.objects.get(`${rootPrefix}x`)?.data ?? []).toString()).toBe('0123456789');
});
