import { expect, test } from 'vitest';
import { runOf } from '../../tests/doubles/driving.ts';
import { replaced } from '../../tests/doubles/replaced.ts';
import { alice, claimSilently, inMemoryWorld, startedRun, type World } from '../../tests/doubles/world.ts';
import type { Run } from '../domain/run/run.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import { decide } from './decide-end.ts';
import type { ExecutorOutcome } from './ports/agent-runtime.ts';

const error = { code: 13, reason: 99, message: 'broken', retryable: false };
const lost = { code: 14, reason: 31, message: 'lost', retryable: true };
const completed: ExecutorOutcome = { kind: 'completed', finishReason: 1 };
const failed: ExecutorOutcome = { kind: 'failed', error };
const aborted: ExecutorOutcome = { kind: 'aborted' };

function decideIn(runs: RunRepository, run: Run, outcome: ExecutorOutcome, mayHaveWritten: boolean) {
  const end = { outcome, usage: undefined };
  return decide({ runs, toAgentError: () => lost }, run, { end, receipt: [], mayHaveWritten });
}

const cancel = ({ runs, clock }: World, { sessionId, id }: Run) => runs.requestCancel(sessionId, id, '', clock.nowMs());

const decided = { rollsBack: false, cancelRequestedAtMs: undefined };
const cancelled = { status: 'CANCELLED', finishReason: 5, usage: undefined, receipt: [] };

test.for([
  [completed, false, { status: 'COMPLETED', finishReason: 1, usage: undefined }, 'FINISHING'],
  [completed, true, { status: 'COMPLETED', finishReason: 1, usage: undefined }, 'FINISHING'],
  [failed, false, { status: 'FAILED', error, usage: undefined }, 'RUNNING'],
  [failed, true, { status: 'FAILED', error, usage: undefined }, 'FINISHING'],
  [aborted, false, { status: 'FAILED', error: lost, usage: undefined }, 'RUNNING'],
  [aborted, true, { status: 'FAILED', error: lost, usage: undefined }, 'FINISHING'],
] as const)('$0.kind, may have written: $1', async ([outcome, mayHaveWritten, ending, status]) => {
  const world = inMemoryWorld();
  const started = await startedRun(world);
  expect(await decideIn(world.runs, started.run, outcome, mayHaveWritten)).toEqual({ ending, ...decided });
  expect((await runOf(world, started))?.status).toBe(status);
  // What was decided stays, also when the answer to it was lost.
  expect(await decideIn(world.runs, started.run, outcome, mayHaveWritten)).toEqual({ ending, ...decided });
});

test.for([completed, failed, aborted])('a cancel that came before it wins over $kind', async (outcome) => {
  const world = inMemoryWorld();
  const started = await startedRun(world);
  await cancel(world, started.run);
  const end = { ending: cancelled, rollsBack: false, cancelRequestedAtMs: world.clock.nowMs() };
  expect(await decideIn(world.runs, started.run, outcome, true)).toEqual(end);
  expect((await runOf(world, started))?.status).toBe('RUNNING');
});

test('a cancel that comes between its look and its decision wins', async () => {
  const world = inMemoryWorld();
  const started = await startedRun(world);
  const late = replaced(world.runs, {
    async beginFinishing(...decision) {
      await cancel(world, started.run);
      return world.runs.beginFinishing(...decision);
    },
  });
  expect(await decideIn(late, started.run, aborted, true)).toMatchObject({ ending: cancelled });
});

test('a run that was FINISHING when it was taken ends as it was decided', async () => {
  const world = inMemoryWorld();
  const started = await startedRun(world);
  await decideIn(world.runs, started.run, failed, true);
  const claimed = await claimSilently(world, 'another');
  const run = claimed?.run ?? expect.fail();
  expect(await decideIn(world.runs, run, aborted, true)).toMatchObject({ ending: { status: 'FAILED', error } });
});

test.for([completed, failed, aborted])(
  '$kind is for somebody else to decide once the run is taken',
  async (outcome) => {
    const world = inMemoryWorld();
    const started = await startedRun(world);
    await cancel(world, started.run);
    await claimSilently(world, 'another');
    await expect(decideIn(world.runs, started.run, outcome, true)).rejects.toMatchObject({ reason: 'FENCED' });
  },
);

test('a rollback is seen with the flag', async () => {
  const world = inMemoryWorld();
  const { run, sessionId } = await startedRun(world);
  const asked = { options: run.options, requestId: '', busyPolicy: 'rollback' } as const;
  await world.startRun.execute({ caller: alice, sessionId, input: [['instead']], ...asked });
  expect(await decideIn(world.runs, run, completed, true)).toMatchObject({ ending: cancelled, rollsBack: true });
});
