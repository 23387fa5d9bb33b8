import { execFile } from 'node:child_process';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { runLoad } from './load.ts';
import type { PreparedCluster, Scenario, ScenarioContext } from './scenario.ts';

const run = promisify(execFile);
/** Room for an empty server and its logs. */
const diskMiB = 700;
const fullMs = 6000;
/** Left free on a full disk: less than a page of the database. */
const leftBytes = 8192;

/** The disk of the database is full for a while, then the server refuses to write. */
export const fullDisk: Scenario = {
  name: 'N14',
  title: 'disk of the database full, then read-only',
  defaultRuns: 60,
  minCompleted: 0.9,
  prepare: mountDisk,
  async play(context) {
    const { sizes, outcome, faults } = context;
    const load = runLoad(context, { runs: sizes.runs, concurrency: 4 });
    await delay(1500);
    await fillDisk(context);
    await delay(1500);
    await setReadOnly(context);
    await load;
    outcome.expect(faults.count('disk-full') > 0 && faults.count('read-only') > 0, 'the disk was never full');
  },
};

/** A small disk in memory: needs the right to mount. */
async function mountDisk(say: (line: string) => void): Promise<PreparedCluster | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'spanwise-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${diskMiB}m`, 'tmpfs', folder]);
  } catch (error) {
    await rm(folder, { recursive: true });
    say(`not played: no disk can be mounted here (${error instanceof Error ? error.message.trim() : String(error)})`);
    return undefined;
  }
  return {
    options: { databaseFolder: folder },
    async [Symbol.asyncDispose]() {
      await run('umount', ['-l', folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function fillDisk({ cluster, faults }: ScenarioContext): Promise<void> {
  const folder = cluster.databaseFolder;
  const { bavail, bsize } = await statfs(folder);
  const filler = join(folder, 'filler');
  await writeFile(filler, Buffer.alloc(Math.max(0, bavail * bsize - leftBytes))).catch(() => undefined);
  faults.add('disk-full', 'database');
  await delay(fullMs);
  await rm(filler, { force: true });
  if (!cluster.database.isRunning) {
    // Some servers end themselves when their own log can not be written; whoever runs one starts it again.
    faults.add('database-kill', 'database');
    await cluster.database.start();
  }
  faults.add('heal', 'database');
}

async function setReadOnly({ cluster, faults }: ScenarioContext): Promise<void> {
  const connection = await createConnection(cluster.databaseServerUrl);
  await connection.query('set global read_only = on');
  faults.add('read-only', 'database');
  await delay(fullMs / 2);
  await connection.query('set global read_only = off');
  faults.add('heal', 'database');
  await connection.end();
}
