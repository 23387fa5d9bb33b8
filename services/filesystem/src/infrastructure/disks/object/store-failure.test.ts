import { expect, test } from 'vitest';
import { VirtualPath } from '../../../domain/path/virtual-path.ts';
import { failureAt, refusalOf } from './store-failure.ts';

/** As opendal 0.49.2 tells failures: in the text of an error, and nowhere else. */
const told = (kind: string, status: number, code: string) =>
  new RangeError(
    `${kind} at write, context: { uri: http://store.internal/files/x?token=s3cr3t, response: Parts { status: ${status}, version: HTTP/1.1, headers: {"retry-after": "7"} }, service: s3, path: x } => S3Error { code: "${code}", message: "m" }`,
  );

test('tells refusals from failures', () => {
  const failures = [
    told('NotFound (permanent)', 404, 'NoSuchKey'),
    told('ConditionNotMatch (permanent)', 412, 'PreconditionFailed'),
    told('ConditionNotMatch (temporary)', 409, 'ConditionalRequestConflict'),
    told('Unexpected (permanent)', 416, 'InvalidRange'),
    new RangeError('Unexpected (permanent) at , context: { expect: 3, actual: 10 } => reader got too much data'),
    told('RateLimited (temporary)', 503, 'SlowDown'),
    told('PermissionDenied (permanent)', 403, 'AccessDenied'),
    new RangeError('NotFound'),
    'no error',
  ];
  expect(failures.map(refusalOf)).toEqual([
    ...['missing', 'condition', 'conflict', 'length', 'length'],
    ...[undefined, undefined, undefined, undefined],
  ]);
});

test('tells a failure without the address that it is about', () => {
  const path = VirtualPath.parse('/x');
  expect(failureAt('archive', path, 'write', told('RateLimited (temporary)', 503, 'SlowDown'))).toMatchObject({
    reason: 'DISK_UNAVAILABLE',
    cause: 'write failed: RateLimited 503 SlowDown',
    retryAfterMs: 7000,
  });
  expect(failureAt('archive', path, 'write', told('PermissionDenied (permanent)', 403, 'AccessDenied'))).toMatchObject({
    reason: 'FILE_ACCESS_DENIED',
    cause: undefined,
  });
  expect(failureAt('archive', path, 'write', new RangeError('panic at /home/x'))).toMatchObject({
    cause: 'write failed: unknown',
  });
});
