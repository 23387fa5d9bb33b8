import { freshDatabase, mysqlServerUrl, startTcpProxy, type TcpProxy } from '@spanwise/testing';
import { createPool, type Pool } from 'mysql2/promise';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MySqlDatabase } from '../src/mysql-database.ts';

const unavailable = { kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' };

describe.skipIf(mysqlServerUrl === undefined)('MySQL behind a network that fails', () => {
  let proxy: TcpProxy;
  let pool: Pool;
  let database: MySqlDatabase;

  beforeEach(async () => {
    const url = new URL(mysqlServerUrl ?? '');
    proxy = await startTcpProxy(Number(url.port));
    url.port = String(proxy.port);
    pool = createPool({ uri: url.href, connectionLimit: 2 });
    database = new MySqlDatabase(pool, { statementMs: 300, connectionMs: 300 });
    await database.all('select 1', []);
  });
  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    await pool.end().catch(() => undefined);
  });

  test('gives a statement up when the server is frozen', async () => {
    proxy.freeze();
    await expect(database.all('select 1', [])).rejects.toMatchObject(unavailable);
    await expect(database.transaction((tx) => tx.all('select 1', []))).rejects.toMatchObject(unavailable);
  });

  test('does not use a connection again that has failed', async () => {
    const broken = database.transaction(async (tx) => {
      proxy.cut();
      await tx.all('select 1', []);
    });
    await expect(broken).rejects.toMatchObject(unavailable);
    expect(await database.all('select 2 as two', [])).toEqual([{ two: 2 }]);
  });

  test.each([
    ['its disk is full', 1114],
    ['it is read-only', 1290],
    ['it shuts down', 1053],
  ])('is as good as away when %s, over the same connection', async (_, errno) => {
    await using fresh = await freshDatabase(mysqlServerUrl ?? '');
    const refuse = `${new URL(fresh.url).pathname.slice(1)}.refuse`;
    await pool.query(`create procedure ${refuse}() signal sqlstate 'HY000' set mysql_errno = ${errno}`);
    const id = () => database.all('select connection_id() as id', []);
    const before = await id();
    await expect(database.run(`call ${refuse}()`, [])).rejects.toMatchObject(unavailable);
    await expect(database.transaction((tx) => tx.run(`call ${refuse}()`, []))).rejects.toMatchObject(unavailable);
    expect(await id()).toEqual(before);
  });

  test('says at once that a refused statement is no outage', async () => {
    await expect(database.run('update nowhere.nothing set x = 1', [])).rejects.not.toMatchObject(unavailable);
    expect(await database.all('select 2 as two', [])).toEqual([{ two: 2 }]);
  });
});
