import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase, mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  defineMigration,
  firstRow,
  insertRows,
  isUniqueViolation,
  type OpenDatabase,
  openDatabase,
} from '../src/index.ts';

const migrations = [
  defineMigration('0001-counters', ({ id, integer, bytes, key, tableOptions }) => [
    `create table counters (id ${id} primary key, total ${integer} not null, payload ${bytes}, label ${key})${tableOptions}`,
  ]),
  defineMigration('0002-counter-label', () => ['create index counters_label on counters (label desc, id)']),
];

const counter = '00000000-0000-7000-8000-000000000001';

function databaseContract(open: () => Promise<OpenDatabase & { second(): Promise<OpenDatabase> }>) {
  let database: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  test('migrates once, also when several processes start at the same time', async () => {
    const second = await database.second();
    await expect(database.checkReady()).rejects.toThrow(/test_migrations/);
    const done = await Promise.all([database.migrate(), second.migrate()]);
    expect(done.flat()).toEqual(['0001-counters', '0002-counter-label']);
    await database.checkReady();
    await second[Symbol.asyncDispose]();
  });

  test('keeps bytes, text and integers as they are', async () => {
    const payload = new Uint8Array([0, 255, 1, 128]);
    await insertRows(
      database.sql,
      'counters',
      ['id', 'total', 'payload', 'label'],
      [[counter, 2 ** 52, payload, 'ä 😀']],
    );
    const row = await firstRow(database.sql, 'select total, payload, label from counters where id = ?', [counter]);
    expect(row).toMatchObject({ total: 2 ** 52, label: 'ä 😀' });
    expect(Uint8Array.from(row?.payload as Uint8Array)).toEqual(payload);
  });

  test('counts the rows that a guard matched, changed or not', async () => {
    await database.sql.run('update counters set total = 0 where id = ?', [counter]);
    expect(await database.sql.run('update counters set total = 0 where id = ?', [counter])).toBe(1);
    expect(await database.sql.run('update counters set total = 0 where id = ? and total = 1', [counter])).toBe(0);
  });

  test('undoes everything when the work of a transaction fails', async () => {
    const failing = database.sql.transaction(async (tx) => {
      await tx.run('update counters set total = 77 where id = ?', [counter]);
      throw new RangeError('planned');
    });
    await expect(failing).rejects.toThrow('planned');
    expect(await firstRow(database.sql, 'select total from counters where id = ?', [counter])).toEqual({ total: 0 });
  });

  test('loses no update among 200 concurrent read-modify-write transactions on two connections', async () => {
    const second = await database.second();
    const increment = (on: OpenDatabase) =>
      on.sql.transaction(async (tx) => {
        for (;;) {
          const row = await firstRow<{ total: number }>(tx, 'select total from counters where id = ?', [counter]);
          const total = row?.total ?? 0;
          if (
            (await tx.run('update counters set total = ? where id = ? and total = ?', [total + 1, counter, total])) ===
            1
          ) {
            return;
          }
        }
      });
    await Promise.all(Array.from({ length: 200 }, (_, n) => increment(n % 2 === 0 ? database : second)));
    expect(await firstRow(database.sql, 'select total from counters where id = ?', [counter])).toEqual({ total: 200 });
    await second[Symbol.asyncDispose]();
  });

  test('tells a unique violation from other failures', async () => {
    const again = insertRows(database.sql, 'counters', ['id', 'total'], [[counter, 1]]);
    expect(await again.then(() => false, isUniqueViolation)).toBe(true);
    const broken = database.sql.run('update nowhere set x = 1', []);
    expect(await broken.then(() => true, isUniqueViolation)).toBe(false);
  });

  test('inserts many rows with few statements', async () => {
    const rows = Array.from({ length: 333 }, (_, n) => [`00000000-0000-7000-9000-${String(n).padStart(12, '0')}`, n]);
    await database.sql.transaction((tx) => insertRows(tx, 'counters', ['id', 'total'], rows));
    expect(await firstRow(database.sql, 'select count(*) as n from counters', [])).toEqual({ n: 334 });
  });

  test('shares the connection with the ORM without a deadlock', async () => {
    const work = Array.from({ length: 20 }, (_, n) =>
      n % 2 === 0
        ? database.orm((own) =>
            own.transactional(async (em) => {
              await em.execute('update counters set total = total + 1 where id = ?', [counter]);
              await em.execute('select count(*) from counters');
            }),
          )
        : database.sql.transaction((tx) => tx.run('update counters set total = total + 1 where id = ?', [counter])),
    );
    await Promise.all(work);
    expect(await firstRow(database.sql, 'select total from counters where id = ?', [counter])).toEqual({ total: 220 });
  });
}

const unavailable = { kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' };

test('SQLite on a disk that is full or read-only is as good as away, and comes back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'spanwise-full-'));
  await using database = await openDatabase({
    ...{ url: `sqlite:${folder}/test.db`, entities: [], migrations, service: 'test' },
  });
  const { sql } = database;
  await database.migrate();
  const rows = Array.from({ length: 100 }, (_, n) => [`00000000-0000-7000-9000-${String(n).padStart(12, '0')}`, n]);
  const fill = () => sql.transaction((tx) => insertRows(tx, 'counters', ['id', 'total'], rows));
  for (const [broken, mended] of [
    ['max_page_count = 1', 'max_page_count = 1000000'],
    ['query_only = on', 'query_only = off'],
  ]) {
    await sql.all(`pragma ${broken}`, []);
    await expect(fill()).rejects.toMatchObject(unavailable);
    const insert = (em: { execute(query: string): Promise<unknown> }) =>
      em.execute(`insert into counters (id, total, payload) values ('big', 1, zeroblob(100000))`);
    await expect(database.orm(insert)).rejects.toMatchObject(unavailable);
    await sql.all(`pragma ${mended}`, []);
  }
  await fill();
  rmSync(folder, { recursive: true, force: true });
});

describe('SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'spanwise-sqlite-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  databaseContract(async () => {
    const open = () => openDatabase({ url: `sqlite:${folder}/test.db`, entities: [], migrations, service: 'test' });
    return { ...(await open()), second: open };
  });
});

describe.skipIf(mysqlServerUrl === undefined)('MySQL', () => {
  databaseContract(async () => {
    const { url, [Symbol.asyncDispose]: drop } = await freshDatabase(mysqlServerUrl ?? '');
    const open = () => openDatabase({ url, entities: [], migrations, service: 'test' });
    const database = await open();
    const close = database[Symbol.asyncDispose];
    return { ...database, second: open, [Symbol.asyncDispose]: () => close().then(drop) };
  });
});
