import { brandId, type RunId, randomIds, type Uid } from '@spanwise/kernel';
import { fakeClock, mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pieceBytes } from '../src/application/ports/uploads.ts';
import { chunkBytes } from '../src/infrastructure/disks/tree/blobs.ts';
import { maxUploadsPerView, SqlUploads } from '../src/infrastructure/uploads/sql-uploads.ts';
import { failureOf } from './files-fixture.ts';
import { mysqlDatabase, sqliteDatabase, type TestDatabase } from './stores-under-test.ts';

const ids = randomIds();
const uid = brandId<Uid>('ada');
const hourMs = 3_600_000;

describe('on SQLite', () => suite(sqliteDatabase));
describe.skipIf(mysqlServerUrl === undefined)('on MySQL', () => suite(mysqlDatabase));

function suite(openDatabase: () => Promise<TestDatabase>) {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const opened = () => {
    const clock = fakeClock();
    const key = { viewId: brandId<RunId>(ids.uuid()), uploadId: ids.uuid() };
    const uploads = new SqlUploads({ database: database.first.sql, clock, ids });
    return { clock, key, uploads, replica: new SqlUploads({ database: database.second.sql, clock, ids }) };
  };
  const chunks = async (viewId: string) => {
    const rows = await database.first.sql.all('select position from fs_upload_chunks where view_id = ?', [viewId]);
    return rows.length;
  };
  const content = async (uploads: SqlUploads, upload: Parameters<SqlUploads['pieces']>[0]) =>
    Buffer.concat(await Array.fromAsync(uploads.pieces(upload)));

  test('has pieces of the size of the chunks of blobs', () => {
    expect(pieceBytes).toBe(chunkBytes);
  });

  test('goes on with a part of a piece, and shuts the stream before out', async () => {
    const { key, uploads, replica } = opened();
    const first = await uploads.begin(key, uid, 0);
    await uploads.put({ ...first, size: 3 }, { position: 0, data: Buffer.from('abc'), isLonger: false });
    expect(await failureOf(replica.begin(key, uid, 0))).toEqual({
      reason: 'UPLOAD_INCOMPLETE',
      facts: { received_bytes: 3 },
    });
    const second = await replica.begin(key, uid, 3);
    expect(Buffer.from(second.tail).toString()).toBe('abc');
    const late = uploads.put({ ...first, size: 4 }, { position: 0, data: Buffer.from('abcX'), isLonger: true });
    expect(await failureOf(late)).toEqual({ reason: 'UPLOAD_INCOMPLETE', facts: { received_bytes: 3 } });
    const whole = { ...second, size: 5 };
    await replica.put(whole, { position: 0, data: Buffer.from('abcde'), isLonger: true });
    expect(String(await content(uploads, whole))).toBe('abcde');
    await uploads.drop({ ...first, size: 3 });
    expect(await uploads.received(key)).toBe(5);
    await uploads.drop(whole);
    expect([await uploads.received(key), await chunks(key.viewId)]).toEqual([undefined, 0]);
  });

  test('lets one of those that begin at the same time go on', async () => {
    const { key, uploads, replica } = opened();
    const begun = await Promise.all([uploads, replica, uploads, replica].map((each) => each.begin(key, uid, 0)));
    const outcomes = await Promise.all(
      begun.map((upload) =>
        failureOf(uploads.put({ ...upload, size: 1 }, { position: 0, data: Buffer.from('x'), isLonger: false })),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'it did not fail').length).toBe(1);
  });

  test('removes uploads of which nothing came for long, with all that was received', async () => {
    const { key, uploads, clock } = opened();
    const others = Array.from({ length: 3 }, () => ({ ...key, uploadId: ids.uuid() }));
    for (const each of [key, ...others]) {
      const begun = await uploads.begin(each, uid, 0);
      await uploads.put({ ...begun, size: 1 }, { position: 0, data: Buffer.from('x'), isLonger: false });
    }
    clock.advance(23 * hourMs);
    await uploads.begin(key, uid, 1);
    clock.advance(2 * hourMs);
    await uploads.removeStale(24 * hourMs);
    expect(await Promise.all([key, ...others].map((each) => uploads.received(each)))).toEqual([
      1,
      undefined,
      undefined,
      undefined,
    ]);
    expect(await chunks(key.viewId)).toBe(1);
    await uploads.forget([key.viewId]);
    expect([await uploads.received(key), await chunks(key.viewId)]).toEqual([undefined, 0]);
  });

  test('keeps so many uploads of a view and no more', async () => {
    const { key, uploads } = opened();
    for (let index = 0; index < maxUploadsPerView; index += 1) {
      await uploads.begin({ ...key, uploadId: ids.uuid() }, uid, 0);
    }
    expect(await failureOf(uploads.begin(key, uid, 0))).toEqual({
      reason: 'QUOTA_EXCEEDED',
      facts: { limit: 'uploads', max: maxUploadsPerView },
    });
  });
}
