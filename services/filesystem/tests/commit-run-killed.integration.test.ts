import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomIds } from '@spanwise/kernel';
import { freshDatabase, mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DescriptorFolder } from '../src/infrastructure/disks/local/descriptor-folder.ts';
import { LocalDisk } from '../src/infrastructure/disks/local/local-disk.ts';
import { mount } from './files-fixture.ts';
import { type LayersFixture, layersFixture } from './layers-fixture.ts';
import { databaseAt, type TestDatabase } from './stores-under-test.ts';

const child = fileURLToPath(new URL('./commit-run-child.ts', import.meta.url));

describe.runIf(process.platform === 'linux')('a process that is killed while it publishes', () => {
  let folder: string;
  let far: LocalDisk;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spanwise-killed-'));
    far = new LocalDisk({ name: 'far', root: await DescriptorFolder.openRoot(folder), ids: randomIds() });
  });
  afterAll(async () => {
    await far[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  /** Publishes in processes that are killed before one statement more each, until one is not. */
  async function killEverywhere(url: string, database: TestDatabase, stride: number) {
    const outcomes = { before: 0, between: 0, after: 0 };
    for (let steps = 0; ; steps += 2 * stride) {
      const both = await Promise.all([steps, steps + stride].map((each) => killAt(url, database, each)));
      for (const { outcome, isDone } of both) {
        outcomes[outcome] += 1;
        if (isDone) {
          return outcomes;
        }
      }
    }
  }

  async function killAt(url: string, database: TestDatabase, steps: number) {
    const remote = `/${database.first.sql.dialect}-${steps}`;
    const mounts = [mount('/workspace', { isOutput: true }), mount('/far', { disk: 'far', remote })];
    const files = await layersFixture(database, { mounts, disks: new Map([['far', far]]) });
    const { client, run } = await begun(files);
    const [before, seen] = [await all(client), await all(run)];
    const answer = await publishKilled([url, files.disk, folder, run.viewId, String(steps)]);
    const [tree, others] = [await client.all(), await client.all('/far')];
    const isPublished = JSON.stringify(tree) === JSON.stringify(seen.tree);
    // Never half: all of the tree disk or nothing of it, and nothing elsewhere before that.
    expect([before.tree, seen.tree]).toContainEqual(tree);
    if (!isPublished) {
      expect(others).toEqual(before.far);
    }
    const isWhole = isPublished && JSON.stringify(others) === JSON.stringify(seen.far);
    expect(await run.commit()).toMatchObject({ result: 'PUBLISHED', conflicts: [], unpublished: [] });
    expect(await all(client)).toEqual(seen);
    await client.remove('/far/d');
    // Nothing else is left, no temporary file either.
    expect(await readdir(join(folder, remote))).toEqual([]);
    const outcome = isWhole ? ('after' as const) : isPublished ? ('between' as const) : ('before' as const);
    return { outcome, isDone: answer === 'PUBLISHED' };
  }

  test('leaves all or nothing on SQLite, and another one finishes', { timeout: 120_000 }, async () => {
    const file = await mkdtemp(join(tmpdir(), 'spanwise-killed-db-'));
    const url = `sqlite:${file}/fs.db`;
    await using database = await databaseAt(url, () => rm(file, { recursive: true, force: true }));
    const outcomes = await killEverywhere(url, database, 1);
    expect(Object.values(outcomes).every((count) => count > 3)).toBe(true);
  });

  test.skipIf(mysqlServerUrl === undefined)(
    'leaves all or nothing on MySQL, and another one finishes',
    { timeout: 120_000 },
    async () => {
      const fresh = await freshDatabase(mysqlServerUrl ?? '');
      await using database = await databaseAt(fresh.url, async () => fresh[Symbol.asyncDispose]());
      const outcomes = await killEverywhere(fresh.url, database, 3);
      expect(Object.values(outcomes).every((count) => count > 0)).toBe(true);
    },
  );
});

/** A run that has changed, deleted and made files on both disks. */
async function begun(files: LayersFixture) {
  const client = await files.open(false);
  for (const path of ['/workspace/a', '/workspace/d/b', '/workspace/d/c', '/far/d/a', '/far/d/b']) {
    await client.put(path, 'before');
  }
  const run = await files.open(true);
  await run.put('/workspace/a', 'by the run');
  await run.remove('/workspace/d');
  await run.put('/workspace/new/file', 'by the run');
  await run.put('/far/d/a', 'by the run');
  await run.remove('/far/d/b');
  await run.put('/far/d/new/file', 'by the run');
  return { client, run };
}

async function all(view: Awaited<ReturnType<LayersFixture['open']>>) {
  return { tree: await view.all(), far: await view.all('/far') };
}

/** What the process has told; empty when it was killed. */
function publishKilled(parameters: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'spanwise-compiled') };
    execFile(process.execPath, [child, ...parameters], { env }, (error, stdout, stderr) => {
      if (error !== null && error.signal !== 'SIGKILL') {
        reject(new Error(`${stdout}${stderr}`));
      } else {
        resolve(stdout);
      }
    });
  });
}
