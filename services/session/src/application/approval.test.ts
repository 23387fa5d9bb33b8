import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { redispatched, type Started, until, withCalls } from '../../tests/doubles/driving.ts';
import { durable } from '../../tests/doubles/said.ts';
import { alice, bob, inMemoryWorld, settled, type World } from '../../tests/doubles/world.ts';
import { interruptKind } from '../domain/event/agent-event.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const asked = {
  ...{ id: 'i1', kind: interruptKind.approval, callId: 'c1', message: 'Run command (bash): ls', schemaJson: '{}' },
  approval: {
    ...{ tool: 'bash', title: 'Run command', toolVersion: '1', argumentsJson: '{"command":"ls"}', argsHash: 'h' },
    ...{ targets: ['ls'], rule: 'bash' },
  },
};

async function waitingRun(world: World): Promise<Started> {
  const started = await withCalls(world);
  started.executor.say(durable({ case: 'interrupt', value: { interrupt: asked } }));
  await settled();
  vi.advanceTimersByTime(20);
  await settled();
  started.executor.yield('waiting');
  await until(() => world.drivers.count === 0);
  return started;
}

const answer = ({ sessionId, run }: Started, answerJson: string, caller = alice) => {
  return { caller, sessionId, runId: run.id, interruptId: 'i1', answerJson };
};

describe('a run that waits for an approval', () => {
  test('shows what is to be approved, and goes on with the answer of its owner', async () => {
    const world = inMemoryWorld();
    const started = await waitingRun(world);
    expect(await world.interrupts.open(started.run.id)).toEqual([asked]);
    await world.answerInterrupt.execute(answer(started, ' {"approved": true}'));
    await redispatched(world);
    const told = { interruptId: 'i1', callId: 'c1', answerJson: '{"approved":true}', expired: false };
    expect(world.runtime.last.dispatch.answers).toEqual([{ ...told, answeredBy: 'alice' }]);
  });

  test('takes no answer that is not clearly one, and none of anybody else', async () => {
    const world = inMemoryWorld();
    const started = await waitingRun(world);
    for (const unclear of ['true', '{"approved":"yes"}', '{"approved":true,"always":true}']) {
      await expect(world.answerInterrupt.execute(answer(started, unclear))).rejects.toMatchObject({
        reason: 'INVALID_FIELD',
      });
    }
    const stranger = world.answerInterrupt.execute(answer(started, '{"approved":true}', bob));
    await expect(stranger).rejects.toMatchObject({ reason: 'SESSION_NOT_FOUND' });
    expect(await world.interrupts.open(started.run.id)).toHaveLength(1);
    // The same answer in other words is the same; another one is not.
    await world.answerInterrupt.execute(answer(started, '{"approved":false}'));
    await world.answerInterrupt.execute(answer(started, '{ "approved": false }'));
    await expect(world.answerInterrupt.execute(answer(started, '{"approved":true}'))).rejects.toMatchObject({
      reason: 'INTERRUPT_ANSWERED',
    });
  });
});
