import { afterEach, beforeEach, expect, test } from 'vitest';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { ada, failureOf, never, utf8 } from './files-fixture.ts';
import { openObjectDisk, rootPrefix } from './object-fixture.ts';
import { S3Stub, stubBucket, stubCredentials } from './s3-stub.ts';
import { flawOfSignature } from './s3-stub-signature.ts';

let stub: S3Stub;
beforeEach(async () => {
  stub = await S3Stub.open();
});
afterEach(() => stub[Symbol.asyncDispose]());

const target = `/${stubBucket}/${rootPrefix}x%20%C3%A9`;

/** A write as the driver has signed it. */
async function signedWrite() {
  const disk = await openObjectDisk(stub.endpoint);
  await disk.write(ada, VirtualPath.parse('/x é'), utf8('text'), {}, never);
  const found = stub.log.findLast(({ method, key }) => method === 'PUT' && key === `${rootPrefix}x é`);
  return { method: 'PUT', target, headers: found?.headers ?? {}, body: utf8('text') };
}

test('takes what the driver signs, and nothing that was changed after it was signed', async () => {
  const request = await signedWrite();
  const { headers } = request;
  const now = Date.now();
  const flawOf = (changed: Partial<typeof request>, nowMs = now) =>
    flawOfSignature({ ...request, ...changed }, stubCredentials, nowMs);
  expect([
    flawOf({}),
    flawOf({ method: 'DELETE' }),
    flawOf({ target: `/${stubBucket}/${rootPrefix}y` }),
    flawOf({ target: `${target}?list-type=2` }),
    flawOf({ headers: { ...headers, host: 'elsewhere' } }),
    flawOf({ headers: { ...headers, 'x-amz-meta-spanwisesha256': '0' } }),
    flawOf({ headers: { ...headers, 'x-amz-acl': 'public-read' } }),
    flawOf({ headers: { ...headers, 'x-amz-content-sha256': '0'.repeat(64) } }),
    flawOf({ headers: { ...headers, authorization: undefined } }),
    flawOf({}, now + 16 * 60 * 1000),
    flawOf({}, now - 16 * 60 * 1000),
    flawOfSignature(request, { ...stubCredentials, secretAccessKey: 'another' }, now),
    flawOfSignature(request, { ...stubCredentials, accessKeyId: 'another' }, now),
  ]).toEqual([
    undefined,
    'SignatureDoesNotMatch',
    'SignatureDoesNotMatch',
    'SignatureDoesNotMatch',
    'SignatureDoesNotMatch',
    'SignatureDoesNotMatch',
    'AccessDenied',
    'XAmzContentSHA256Mismatch',
    'AccessDenied',
    'RequestTimeTooSkewed',
    'RequestTimeTooSkewed',
    'SignatureDoesNotMatch',
    'InvalidAccessKeyId',
  ]);
});

test('refuses a disk with a wrong secret, and requests without a signature', async () => {
  const disk = await openObjectDisk(stub.endpoint, { secret_access_key_env: 'WRONG_SECRET' });
  const path = VirtualPath.parse('/x');
  const denied = { reason: 'FILE_ACCESS_DENIED', facts: { path: '/x' } };
  expect(await failureOf(disk.write(ada, path, utf8('text'), {}, never))).toEqual(denied);
  expect(await failureOf(disk.stat(ada, path, never))).toEqual(denied);
  expect((await fetch(`${stub.endpoint}${target}`, { method: 'PUT', body: 'text' })).status).toBe(403);
  expect([stub.objects.size, stub.log]).toEqual([0, []]);
});

test('honours conditions: a stale If-Match and an object that is there change nothing', async () => {
  const request = await signedWrite();
  // Conditions are not signed: they can be put onto a request that was, for as many bytes.
  const send = async (method: string, conditions: Readonly<Record<string, string>>) => {
    const { host: _, 'content-length': __, ...headers } = request.headers;
    const body = method === 'PUT' ? { body: utf8('more') } : {};
    const sent = { ...(headers as Record<string, string>), ...conditions };
    return (await fetch(`${stub.endpoint}${target}`, { method, headers: sent, ...body })).status;
  };
  const { tag = '' } = stub.objects.get(`${rootPrefix}x é`) ?? {};
  expect(await send('PUT', { 'if-none-match': '*' })).toBe(412);
  expect(await send('PUT', { 'if-match': '"stale"' })).toBe(412);
  expect(stub.objects.get(`${rootPrefix}x é`)?.tag).toBe(tag);
  expect(await send('PUT', { 'if-match': tag })).toBe(200);
  expect(await send('PUT', { 'if-match': tag })).toBe(412);
  stub.objects.clear();
  expect(await send('PUT', { 'if-match': tag })).toBe(404);
  expect(await send('PUT', { 'if-none-match': '*' })).toBe(200);
});
