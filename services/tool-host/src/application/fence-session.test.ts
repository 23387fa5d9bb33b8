import { brandId, type CallId } from '@spanwise/kernel';
import type { ToolEffect } from '@spanwise/tool-kit/contract';
import { expect, test } from 'vitest';
import { type ProbeWork, probe } from '../../tests/probe.ts';
import { ann, ToolBench, toolCall } from '../../tests/tool-calls.ts';
import { FenceSession } from './fence-session.ts';
import type { Peers } from './ports/peers.ts';

const { sessionId, runId, callId } = toolCall('probe', {});
const stop = { caller: ann, sessionId, epoch: 1, isStop: true, isLocal: false };
const fenced = { reason: 'FENCED' };

/** A tool that is at work until its signal aborts, or for ever. */
function working(effect: ToolEffect, isDeaf = false) {
  const begun = Promise.withResolvers<void>();
  const work: ProbeWork = ({ signal }) => {
    begun.resolve();
    return new Promise((_, reject) => {
      if (!isDeaf) {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      }
    });
  };
  return { tool: probe({ effect, execute: work }), begun: begun.promise };
}

/** Fences of benches, which reach each other by address; one of them may be silent. */
function fenceOf(bench: ToolBench, others: readonly ToolBench[] = [], silent?: ToolBench): FenceSession {
  const { live, instance } = bench;
  const peers: Peers = {
    async stop({ address }, { caller, sessionId, epoch }) {
      const peer = others.find((each) => each.instance.address === address);
      if (peer === undefined || peer === silent) {
        throw new TypeError('silence');
      }
      return fenceOf(peer).execute({ caller, sessionId, epoch, isStop: true, isLocal: true });
    },
  };
  return new FenceSession({ ...bench.shared, live, instance, peers, stopMs: 30 });
}

test.each(['READ_ONLY', 'NON_REPEATABLE'] as const)('stops a %s call that goes on, and says so', async (effect) => {
  const { tool, begun } = working(effect);
  const bench = new ToolBench([tool]);
  const call = bench.frames('probe', {});
  call.catch(() => undefined);
  await begun;
  expect(await fenceOf(bench).execute(stop)).toEqual([{ runId, callId, tool: 'probe', outcome: 'stopped' }]);
  await expect(call).rejects.toMatchObject(fenced);
  const state = (await bench.shared.ledger.find({ runId, callId }))?.state;
  expect(state).toBe(effect === 'READ_ONLY' ? undefined : 'UNKNOWN');
  await expect(bench.frames('probe', {})).rejects.toMatchObject(fenced);
  expect(await fenceOf(bench).execute(stop)).toEqual([]);
});

test('says that a tool which does not listen is unstoppable, as long as it is at work', async () => {
  const { tool, begun } = working('IDEMPOTENT', true);
  const bench = new ToolBench([tool]);
  const call = bench.frames('probe', {});
  call.catch(() => undefined);
  await begun;
  const unstoppable = [{ runId, callId, tool: 'probe', outcome: 'unstoppable' }];
  expect(await fenceOf(bench).execute(stop)).toEqual(unstoppable);
  await expect(call).rejects.toMatchObject(fenced);
  expect(await fenceOf(bench).execute(stop)).toEqual(unstoppable);
  expect((await bench.shared.ledger.find({ runId, callId }))?.state).toBe('UNKNOWN');
});

test('says that a call had finished whose tool had returned when it was stopped', async () => {
  const bench = new ToolBench([probe({ effect: 'IDEMPOTENT', execute: () => Promise.resolve({ text: 'done' }) })]);
  const settling = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const { ledger } = bench.shared;
  const settle = ledger.settle.bind(ledger);
  ledger.settle = async (...settled) => {
    settling.resolve();
    await gate.promise;
    return settle(...settled);
  };
  const call = bench.call('probe', {});
  await settling.promise;
  const fencing = fenceOf(bench).execute(stop);
  gate.resolve();
  expect(await fencing).toEqual([{ runId, callId, tool: 'probe', outcome: 'finished' }]);
  expect((await call).result.text).toBe('done');
});

test('lets what goes on go on when it only shuts the session against lower epochs', async () => {
  const { tool, begun } = working('NON_REPEATABLE');
  const bench = new ToolBench([tool]);
  const caller = new AbortController();
  const call = Array.fromAsync(bench.execute(toolCall('probe', {}), caller.signal));
  await begun;
  expect(await fenceOf(bench).execute({ ...stop, epoch: 2, isStop: false })).toEqual([]);
  expect((await bench.shared.ledger.find({ runId, callId }))?.state).toBe('STARTED');
  const next = brandId<CallId>('next');
  await expect(bench.frames('probe', {}, { callId: next })).rejects.toMatchObject(fenced);
  await bench.shared.ledger.assertOpen(sessionId, 2);
  caller.abort(new TypeError('gone'));
  await expect(call).rejects.toThrow('gone');
});

test('leaves calls of higher epochs and of other sessions alone', async () => {
  const { tool, begun } = working('NON_REPEATABLE');
  const bench = new ToolBench([tool]);
  const caller = new AbortController();
  const call = Array.fromAsync(bench.execute(toolCall('probe', {}, { epoch: 5 }), caller.signal));
  await begun;
  expect(await fenceOf(bench).execute({ ...stop, epoch: 4 })).toEqual([]);
  expect((await bench.shared.ledger.find({ runId, callId }))?.state).toBe('STARTED');
  caller.abort(new TypeError('gone'));
  await expect(call).rejects.toThrow('gone');
});

test('asks the other replicas, and reports what a silent one executes as unstoppable', async () => {
  const calls = ['a', 'b', 'c', 'd'].map((id) => brandId<CallId>(id));
  const tools = calls.map(() => working('NON_REPEATABLE'));
  const benches: ToolBench[] = [];
  for (const each of tools) {
    benches.push(new ToolBench([each.tool], benches[0]?.shared));
  }
  const running = benches.map((bench, index) => bench.frames('probe', {}, { callId: calls[index] }));
  void Promise.allSettled(running);
  await Promise.all(tools.map(({ begun }) => begun));
  const [here, answering, silent, dead] = benches;
  await dead?.die();
  const fence = fenceOf(here ?? expect.fail(), [answering ?? expect.fail()], silent);
  const outcomes = (await fence.execute(stop)).map((each) => [each.callId, each.outcome]);
  expect(outcomes).toEqual([
    ['a', 'stopped'],
    ['b', 'stopped'],
    ['c', 'unstoppable'],
  ]);
  const states = calls.map(async (each) => (await here?.shared.ledger.find({ runId, callId: each }))?.state);
  expect(await Promise.all(states)).toEqual(['UNKNOWN', 'UNKNOWN', 'STARTED', 'UNKNOWN']);
});
