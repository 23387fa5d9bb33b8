import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DomainError } from '@spanwise/kernel';
import { findProgram } from '@spanwise/testing';
import { createConnection } from 'mysql2/promise';
import { InfrastructureServer } from './infrastructure-server.ts';

export interface DatabaseServerOptions {
  readonly port: number;
  /** Folder for its data, its socket and its log; must exist. */
  readonly folder: string;
}

/** A MariaDB or MySQL of its own. What it committed survives a kill of the process, as with production settings. */
export async function startDatabaseServer({ port, folder }: DatabaseServerOptions): Promise<InfrastructureServer> {
  const program = findProgram('mariadbd', 'mysqld');
  const install = findProgram('mariadb-install-db', 'mysql_install_db');
  if (program === undefined || install === undefined) {
    throw new DomainError('precondition', 'INTERNAL', 'The fault suite needs MariaDB or MySQL: none is installed.');
  }
  const data = join(folder, 'data');
  await makeDataFolder(install, data);
  const server = new InfrastructureServer({
    name: 'database',
    program,
    args: [
      '--no-defaults',
      `--datadir=${data}`,
      `--tmpdir=${folder}`,
      `--socket=${join(folder, 'socket')}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--user=${userInfo().username}`,
      '--innodb-flush-log-at-trx-commit=2',
      '--innodb-buffer-pool-size=64M',
      '--innodb-log-file-size=16M',
      '--skip-log-bin',
      '--skip-name-resolve',
      '--max-connections=500',
    ],
    isServing: async () => {
      const connection = await createConnection({ uri: serverUrl(port), connectTimeout: 1000 });
      await connection.end();
      return true;
    },
  });
  await server.start();
  return server;
}

/** URL of the server at a port, without a database. */
export function serverUrl(port: number): string {
  return `mysql://root@127.0.0.1:${port}`;
}

/** A template that tests have left on this machine is copied: making a data folder takes seconds. */
async function makeDataFolder(install: string, data: string): Promise<void> {
  const user = userInfo().username;
  const template = join(tmpdir(), `spanwise-mariadb-template-${user}`);
  if (existsSync(template)) {
    await cp(template, data, { recursive: true });
    return;
  }
  await mkdir(data, { recursive: true });
  const options = ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'];
  await promisify(execFile)(install, [...options, `--user=${user}`]);
}
