import { randomIds } from '@spanwise/kernel';
import { Operator } from 'opendal';
import { describe, expect, test } from 'vitest';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { ObjectDisk } from '../src/infrastructure/disks/object/object-disk.ts';
import { ObjectKeys } from '../src/infrastructure/disks/object/object-keys.ts';
import { ObjectStore } from '../src/infrastructure/disks/object/object-store.ts';
import { fileStoreContract } from './file-store.contract.ts';
import { ada, failureOf, filesFixture, mount, never, utf8, viewId } from './files-fixture.ts';
import { objectStore, openObjectDisk, rootPrefix } from './object-fixture.ts';
import { refuse, S3Stub, stubBucket, stubCredentials } from './s3-stub.ts';

const at = (text: string) => VirtualPath.parse(text);
const unsupported = { reason: 'DISK_UNSUPPORTED', facts: { disk: 'archive' } };
const unavailable = { reason: 'DISK_UNAVAILABLE', facts: { disk: 'archive' } };
const denied = (path: string) => ({ reason: 'FILE_ACCESS_DENIED', facts: { path } });
const everything = { ifMatch: true, createOnly: true, atomic: false };

describe('object, on a store that keeps no metadata', () =>
  fileStoreContract(() => objectStore({ ignores: ['metadata'] }), { longSegments: 3 }));
describe('object, on a store that ignores If-Match of reads', () =>
  fileStoreContract(() => objectStore({ ignores: ['if-match of reads'] }), { longSegments: 3 }));

test('finds out at start what the store honours, and leaves nothing behind', async () => {
  const found = [];
  for (const ignores of [[], ['if-match'], ['if-none-match'], ['if-match', 'if-none-match']] as const) {
    await using opened = await objectStore({ ignores });
    const { ifMatch, createOnly } = opened.store.capabilities;
    found.push([ifMatch, createOnly, opened.stub.objects.size]);
  }
  expect(found).toEqual([
    [true, true, 0],
    [false, true, 0],
    [true, false, 0],
    [false, false, 0],
  ]);
});

test('refuses guards, and moves, that the store ignores', async () => {
  await using opened = await objectStore({ ignores: ['if-match', 'if-none-match'] });
  const { store, stub } = opened;
  const files = await filesFixture({
    disks: new Map([['archive', store]]),
    mounts: [mount('/work', { disk: 'archive' })],
  });
  const write = (guard: { ifMatch?: string; createOnly?: boolean }) =>
    files.writeFile.execute(ada, { viewId, path: '/work/x', data: utf8('two'), ...guard }, never);
  const etag = await files.put('/work/x', 'one');
  expect(await failureOf(write({ ifMatch: etag }))).toEqual(unsupported);
  expect(await failureOf(write({ createOnly: true }))).toEqual(unsupported);
  const asked = [
    store.write(ada, at('/x'), utf8('two'), { ifMatch: etag }, never),
    store.write(ada, at('/y'), utf8('two'), { createOnly: true }, never),
    store.remove(ada, at('/x'), { isRecursive: false, ifMatch: etag }, never),
    store.rename(ada, at('/x'), at('/y'), never),
  ];
  expect(await Promise.all(asked.map(failureOf))).toEqual(asked.map(() => unsupported));
  expect(await files.text('/work/x')).toBe('one');
  expect([...stub.objects.keys()]).toEqual([`${rootPrefix}x`]);
});

test('starts without its store, and looks again when it is used', async () => {
  await using stub = await S3Stub.open({ ignores: ['if-match'] });
  stub.fault = () => (response) => refuse(response, 503, 'SlowDown');
  const disk = await openObjectDisk(stub.endpoint);
  expect(disk.capabilities).toEqual(everything);
  expect(await failureOf(disk.stat(ada, at('/x'), never))).toEqual(unavailable);
  stub.fault = undefined;
  stub.plant(`${rootPrefix}x`, 'text');
  // The guard was let through: only now the store can be asked.
  expect(await failureOf(disk.write(ada, at('/x'), utf8('new'), { ifMatch: 'any' }, never))).toEqual(unsupported);
  expect(disk.capabilities).toEqual({ ...everything, ifMatch: false });
  expect(await disk.stat(ada, at('/x'), never)).toMatchObject({ kind: 'file', size: 4 });
});

test('starts where nobody listens, and where there is no such bucket', async () => {
  const stub = await S3Stub.open();
  const { endpoint } = stub;
  const elsewhere = await openObjectDisk(endpoint, { bucket: 'no-such-bucket' });
  expect(await failureOf(elsewhere.write(ada, at('/x'), utf8('text'), {}, never))).toEqual(unavailable);
  await stub[Symbol.asyncDispose]();
  const disk = await openObjectDisk(endpoint);
  expect(await failureOf(disk.read(ada, at('/x'), { offset: 0, length: 1 }, never))).toEqual(unavailable);
});

test('does not wait at start for a store that answers nothing', async () => {
  await using stub = await S3Stub.open();
  stub.fault = () => () => undefined;
  const options = { bucket: stubBucket, endpoint: stub.endpoint, region: 'eu-central-1', root: '/' };
  const access = { access_key_id: stubCredentials.accessKeyId, secret_access_key: stubCredentials.secretAccessKey };
  const store = new ObjectStore({
    name: 'archive',
    operator: new Operator('s3', { ...options, ...access }),
    timeoutMs: 1000,
  });
  const disk = new ObjectDisk({ store, keys: new ObjectKeys(at('/')), ids: randomIds(), probeTimeoutMs: 50 });
  const begun = performance.now();
  await disk.probe();
  expect(performance.now() - begun).toBeLessThan(500);
  expect(await failureOf(disk.stat(ada, at('/x'), never))).toEqual(unavailable);
  stub.fault = undefined;
  expect(await disk.stat(ada, at('/x'), never)).toBeUndefined();
});

test('serves a store that it may only read', async () => {
  await using stub = await S3Stub.open();
  stub.plant(`${rootPrefix}d/x`, 'text');
  stub.fault = ({ method }) =>
    method === 'PUT' || method === 'DELETE' ? (response) => refuse(response, 403, 'AccessDenied') : undefined;
  const disk = await openObjectDisk(stub.endpoint);
  expect(disk.capabilities).toEqual({ ifMatch: false, createOnly: false, atomic: false });
  const { data } = await disk.read(ada, at('/d/x'), { offset: 1, length: 2 }, never);
  expect(new TextDecoder().decode(data)).toBe('ex');
  expect(await failureOf(disk.write(ada, at('/d/y'), utf8('text'), {}, never))).toEqual(denied('/d/y'));
  expect(await failureOf(disk.remove(ada, at('/d'), { isRecursive: true }, never))).toMatchObject({
    reason: 'FILE_ACCESS_DENIED',
  });
  expect([...stub.objects.keys()]).toEqual([`${rootPrefix}d/x`]);
});

test('does not believe a store that refuses a write and does it all the same', async () => {
  await using stub = await S3Stub.open({ ignores: ['if-match'] });
  stub.fault = ({ method, key, headers }) =>
    method === 'PUT' && headers['if-match'] !== undefined
      ? (response) => {
          stub.plant(key, 'written all the same');
          refuse(response, 412, 'PreconditionFailed');
        }
      : undefined;
  const disk = await openObjectDisk(stub.endpoint);
  expect(disk.capabilities).toEqual({ ...everything, ifMatch: false });
});

test('has the etags of the store for what others have written, and its own from the first write on', async () => {
  await using opened = await objectStore();
  const { store, stub } = opened;
  stub.plant(`${rootPrefix}x`, 'theirs');
  const theirs = await store.stat(ada, at('/x'), never);
  expect(theirs).toMatchObject({ etag: stub.objects.get(`${rootPrefix}x`)?.tag.slice(1, -1) });
  const etag = theirs?.kind === 'file' ? theirs.etag : '';
  const { node } = await store.write(ada, at('/x'), utf8('ours'), { ifMatch: etag }, never);
  expect(node.etag).toMatch(/^[0-9a-f]{64}$/);
  stub.plant(`${rootPrefix}x`, 'theirs again');
  expect(await failureOf(store.write(ada, at('/x'), utf8('ours'), { ifMatch: node.etag }, never))).toMatchObject({
    reason: 'ETAG_MISMATCH',
  });
});

test('lets one of 40 creations win that come from two instances', async () => {
  await using opened = await objectStore();
  const { store, replica = store } = opened;
  for (let round = 0; round < 5; round += 1) {
    const path = at(`/race/${round}`);
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        failureOf((index % 2 === 0 ? store : replica).write(ada, path, utf8(`${index}`), { createOnly: true }, never)),
      ),
    );
    const lost = outcomes.filter((outcome) => outcome !== 'it did not fail');
    expect(lost).toEqual(Array.from({ length: 39 }, () => ({ reason: 'FILE_EXISTS', facts: { path: path.text } })));
  }
});
