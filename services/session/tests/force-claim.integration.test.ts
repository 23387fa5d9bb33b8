import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Repositories, sqliteRepositories } from './repository-sets.ts';
import { claimOf, look, nowMs, runMoves, waitOf } from './run-moves.ts';

let repositories: Repositories;
beforeAll(async () => {
  repositories = await sqliteRepositories();
});
afterAll(() => repositories[Symbol.asyncDispose]());
const { runs, instance, startedRun, interruptedRun, current } = runMoves(() => repositories);
const isFound = async (id: string) => (await runs().abandoned(look)).some((run) => run.id === id);

test('leaves a cancelled run to the living replica that has just taken it', async () => {
  const { run } = await startedRun({ ownerId: 'dead' });
  await runs().requestCancel(run.sessionId, run.id, '', nowMs - 15_000);
  expect(await isFound(run.id)).toBe(true);
  await runs().claim(claimOf(await current(run), await instance()));
  expect(await isFound(run.id)).toBe(false);
});

test('leaves a waiting run that was cancelled to the living replica that ends it', async () => {
  const { run, position } = await interruptedRun();
  expect(await runs().wait(waitOf(position))).toBe(true);
  await runs().requestCancel(run.sessionId, run.id, '', nowMs);
  await runs().claim(claimOf(await current(run), await instance()));
  expect(await isFound(run.id)).toBe(false);
});
