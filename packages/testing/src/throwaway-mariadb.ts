import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { findProgram, startServer, stopServer, waitFor } from './child-server.ts';

/** A server of a test run, with all that it made removed at its end. */
export interface ThrowawayServer extends AsyncDisposable {
  readonly url: string;
}

/** Starts a MariaDB or MySQL of its own on a free loopback port; undefined where none is installed. */
export async function startMariaDb(): Promise<ThrowawayServer | undefined> {
  const server = findProgram('mariadbd', 'mysqld');
  const install = findProgram('mariadb-install-db', 'mysql_install_db');
  if (server === undefined || install === undefined) {
    return undefined;
  }
  const folder = await mkdtemp(join(tmpdir(), 'spanwise-mariadb-'));
  const data = join(folder, 'data');
  await cp(await dataTemplate(install), data, { recursive: true });
  const port = await freePort();
  const child = startServer(server, [
    '--no-defaults',
    `--datadir=${data}`,
    `--socket=${join(folder, 'socket')}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--user=${userInfo().username}`,
    '--innodb-flush-log-at-trx-commit=2',
    '--innodb-buffer-pool-size=64M',
    '--skip-log-bin',
    '--max-connections=500',
  ]);
  const url = `mysql://root@127.0.0.1:${port}`;
  await waitFor(child, async () => {
    const connection = await createConnection(url);
    await connection.end();
    return true;
  });
  return {
    url,
    async [Symbol.asyncDispose]() {
      await stopServer(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** An empty database with a name of its own on a server, dropped at the end. */
export async function freshDatabase(serverUrl: string): Promise<ThrowawayServer> {
  const name = `spanwise_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  await execute(serverUrl, `create database ${name} character set utf8mb4`);
  const url = new URL(serverUrl);
  url.pathname = name;
  return {
    url: url.href,
    [Symbol.asyncDispose]: () => execute(serverUrl, `drop database ${name}`),
  };
}

/** Makes a database on a server unless it is there, and answers its URL. */
export async function ensureDatabase(serverUrl: string, name: string): Promise<string> {
  await execute(serverUrl, `create database if not exists ${name} character set utf8mb4`);
  const url = new URL(serverUrl);
  url.pathname = name;
  return url.href;
}

/** Drops the databases whose names begin with a prefix. */
export async function dropDatabases(serverUrl: string, prefix: string): Promise<void> {
  const connection = await createConnection(serverUrl);
  try {
    const sql = 'select schema_name as name from information_schema.schemata';
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    for (const { name } of rows) {
      if (typeof name === 'string' && name.startsWith(prefix)) {
        await connection.query(`drop database ${name}`);
      }
    }
  } finally {
    await connection.end();
  }
}

async function execute(url: string, sql: string): Promise<void> {
  const connection = await createConnection(url);
  try {
    await connection.query(sql);
  } finally {
    await connection.end();
  }
}

/** Making an empty data folder takes seconds, copying one does not: made once a machine. */
async function dataTemplate(install: string): Promise<string> {
  const template = join(tmpdir(), `spanwise-mariadb-template-${userInfo().username}`);
  if (existsSync(template)) {
    return template;
  }
  const fresh = await mkdtemp(`${template}-`);
  const options = ['--no-defaults', `--datadir=${fresh}`, '--auth-root-authentication-method=normal', '--skip-test-db'];
  await promisify(execFile)(install, [...options, `--user=${userInfo().username}`]);
  // Renamed when complete. Another process may have been faster: its folder is as good.
  await rename(fresh, template).catch(() => rm(fresh, { recursive: true }));
  return template;
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
