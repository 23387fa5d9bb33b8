import { DomainError, systemClock } from '@spanwise/kernel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EndOrphans } from '../src/application/end-orphans.ts';
import { LostRuns } from '../src/application/lost-runs.ts';
import { SessionHub } from '../src/application/session-hub.ts';
import { fenced } from '../src/domain/event/event-errors.ts';
import type { RunRepository } from '../src/domain/run/run-repository.ts';
import { toAgentError } from '../src/infrastructure/agent-errors.ts';
import { protoMessageCodec } from '../src/infrastructure/codec/proto-message-codec.ts';
import { alice, beginning, newSession } from './builders.ts';
import { replaced } from './doubles/replaced.ts';
import { ids, type Repositories, sqliteRepositories } from './repository-sets.ts';

const instanceId = ids.uuid();
const away = () => new DomainError('unavailable', 'DATABASE_UNAVAILABLE', 'away');

let repositories: Repositories;
beforeAll(async () => {
  repositories = await sqliteRepositories();
});
afterAll(() => repositories[Symbol.asyncDispose]());

function lostRuns(runs: RunRepository) {
  const hub = new SessionHub();
  const spans = { export: () => undefined, traceFlags: () => 0 };
  const deps = { runs, log: repositories.log, hub, spans, codec: protoMessageCodec, clock: systemClock, ids };
  const report = () => undefined;
  return new LostRuns(new EndOrphans({ ...deps, instanceId, toAgentError, report }), instanceId);
}

async function runningRun(ownerId: string) {
  const session = await repositories.sessions.create(newSession());
  const request = { uid: alice, sessionId: session.id, requestId: ids.uuid(), fingerprint: 'same' };
  const { run } = await repositories.runs.start(request, (now) =>
    beginning(now, { requestId: request.requestId, ownerId }),
  );
  const status = async () => (await repositories.runs.find(session.id, run.id))?.status;
  return { run, status };
}

test('ends what was lost to an outage, and nothing else', async () => {
  const [lost, takenOver, held] = [
    await runningRun(instanceId),
    await runningRun(instanceId),
    await runningRun(instanceId),
  ];
  const lostToOutage = lostRuns(repositories.runs);
  lostToOutage.note(lost.run, away());
  lostToOutage.note(takenOver.run, fenced());
  await lostToOutage.end();
  expect([await lost.status(), await takenOver.status(), await held.status()]).toEqual([
    'FAILED',
    'RUNNING',
    'RUNNING',
  ]);
});

test('leaves a run alone that has another owner by now', async () => {
  const { run, status } = await runningRun(ids.uuid());
  const lost = lostRuns(repositories.runs);
  lost.note(run, away());
  await lost.end();
  expect(await status()).toBe('RUNNING');
});

test('tries again what could not be ended', async () => {
  const { run, status } = await runningRun(instanceId);
  let fails = true;
  const lost = lostRuns(
    replaced(repositories.runs, {
      finish: (finish) => (fails ? Promise.reject(new TypeError('broken')) : repositories.runs.finish(finish)),
    }),
  );
  lost.note(run, away());
  await lost.end();
  expect(await status()).toBe('RUNNING');
  fails = false;
  await lost.end();
  expect(await status()).toBe('FAILED');
});
