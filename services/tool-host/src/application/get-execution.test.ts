import { expect, test } from 'vitest';
import { probe } from '../../tests/probe.ts';
import { benchClock, ToolBench, toolCall } from '../../tests/tool-calls.ts';
import { GetExecution } from './get-execution.ts';

const { sessionId, runId, callId } = toolCall('probe', {});
const query = { sessionId, runId, callId, epoch: 1, waitMs: 0 };
const { signal } = new AbortController();

function working() {
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<{ text: string }>();
  const execute = () => {
    begun.resolve();
    return gate.promise;
  };
  const tool = probe({ effect: 'NON_REPEATABLE', execute });
  return { tool, begun: begun.promise, end: () => gate.resolve({ text: 'done' }) };
}

function getExecutionOf({ live, shared }: ToolBench): GetExecution {
  return new GetExecution({ ledger: shared.ledger, live, clock: benchClock });
}

test('knows nothing of what was never begun, or is of another session', async () => {
  const { tool, end } = working();
  const bench = new ToolBench([tool]);
  const getExecution = getExecutionOf(bench);
  expect(await getExecution.execute(query, signal)).toBeUndefined();
  end();
  await bench.call('probe', {});
  expect(await getExecution.execute({ ...query, sessionId: toolCall('', {}, {}).sessionId }, signal)).toBeDefined();
  const elsewhere = { ...query, sessionId: `${sessionId}x` as typeof sessionId };
  expect(await getExecution.execute(elsewhere, signal)).toBeUndefined();
});

test.each(['here', 'elsewhere'])('waits for the end of an execution that goes on %s', async (where) => {
  const { tool, begun, end } = working();
  const bench = new ToolBench([tool]);
  const getExecution = getExecutionOf(where === 'here' ? bench : new ToolBench([], bench.shared));
  const call = bench.call('probe', {});
  await begun;
  expect(await getExecution.execute(query, signal)).toMatchObject({ state: 'STARTED', effect: 'NON_REPEATABLE' });
  const started = performance.now();
  expect(await getExecution.execute({ ...query, waitMs: 30 }, signal)).toMatchObject({ state: 'STARTED' });
  expect(performance.now() - started).toBeGreaterThan(28);
  const waiting = getExecution.execute({ ...query, waitMs: 10_000 }, signal);
  end();
  expect(await waiting).toMatchObject({ state: 'DONE', end: { result: { text: 'done' } } });
  await call;
});

test('makes what a dead instance had begun UNKNOWN, for good', async () => {
  const { tool, begun, end } = working();
  const dying = new ToolBench([tool]);
  const call = dying.call('probe', {});
  await begun;
  await dying.die();
  const getExecution = getExecutionOf(new ToolBench([], dying.shared));
  expect(await getExecution.execute({ ...query, waitMs: 10_000 }, signal)).toMatchObject({ state: 'UNKNOWN' });
  end();
  expect((await call).result.outcome).toBe('unknown');
  expect(await getExecution.execute(query, signal)).toMatchObject({ state: 'UNKNOWN' });
});

test('is refused below the fence, also one that came while it waited, and ends with its caller', async () => {
  const { tool, begun, end } = working();
  const bench = new ToolBench([tool]);
  const getExecution = getExecutionOf(bench);
  const call = bench.call('probe', {});
  await begun;
  const caller = new AbortController();
  const left = getExecution.execute({ ...query, waitMs: 10_000 }, caller.signal);
  caller.abort(new TypeError('gone'));
  await expect(left).rejects.toThrow('gone');
  const waiting = getExecution.execute({ ...query, waitMs: 10_000 }, signal);
  waiting.catch(() => undefined);
  await bench.shared.ledger.raiseFence(sessionId, 2);
  await expect(waiting).rejects.toMatchObject({ reason: 'FENCED' });
  await expect(getExecution.execute(query, signal)).rejects.toMatchObject({ reason: 'FENCED' });
  end();
  await call;
});
