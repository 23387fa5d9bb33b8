import { expect, test } from 'vitest';
import { probe } from '../../tests/probe.ts';
import { ToolBench, toolCall } from '../../tests/tool-calls.ts';
import { leaseLost } from '../domain/execution/execution-errors.ts';
import { drainCalls } from './drain-calls.ts';

function working(effect: 'IDEMPOTENT' | 'NON_REPEATABLE' = 'NON_REPEATABLE') {
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<{ text: string }>();
  const execute = () => {
    begun.resolve();
    return gate.promise;
  };
  const tool = probe({ effect, execute });
  return { tool, bench: new ToolBench([tool]), begun: begun.promise, end: () => gate.resolve({ text: 'done' }) };
}

test('lets calls that go on come to their end, and takes no others', async () => {
  const { bench, begun, end } = working();
  const call = bench.call('probe', {});
  await begun;
  const draining = drainCalls(bench.live, 10_000);
  await expect(bench.frames('probe', {})).rejects.toMatchObject({ kind: 'unavailable', reason: 'SHUTTING_DOWN' });
  end();
  await draining;
  expect((await call).result.text).toBe('done');
});

test.each(['IDEMPOTENT', 'NON_REPEATABLE'] as const)('stops a %s call that does not end in time', async (effect) => {
  const { bench, begun } = working(effect);
  const call = bench.call('probe', {});
  call.catch(() => undefined);
  await begun;
  await drainCalls(bench.live, 5);
  if (effect === 'IDEMPOTENT') {
    await expect(call).rejects.toMatchObject({ reason: 'SHUTTING_DOWN' });
  } else {
    expect((await call).result.outcome).toBe('unknown');
  }
  expect((await bench.shared.ledger.find(toolCall('probe', {})))?.state).toBe('UNKNOWN');
});

test('stops nothing but what the ledger has when a lease is lost', async () => {
  const ledgered = working();
  const lookedUp = Promise.withResolvers<{ text: string }>();
  const look = probe({ name: 'look', effect: 'READ_ONLY', execute: () => lookedUp.promise });
  const bench = new ToolBench([look, ledgered.tool]);
  const calls = [bench.call('probe', {}), bench.call('look', {})];
  await ledgered.begun;
  bench.live.stopLedgered(leaseLost());
  expect((await calls[0])?.result.outcome).toBe('unknown');
  lookedUp.resolve({ text: 'seen' });
  expect((await calls[1])?.result.text).toBe('seen');
});
