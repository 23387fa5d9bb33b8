import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { redispatched, runOf, type Started, said, until, withCalls } from '../../tests/doubles/driving.ts';
import { durable } from '../../tests/doubles/said.ts';
import { alice, inMemoryWorld, instanceId, rowsOf, settled, type World } from '../../tests/doubles/world.ts';
import { interruptKind } from '../domain/event/agent-event.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const fresh = { ...alice, token: 'fresh-token-of-alice' };
const asked = (id: string, callId: string) => {
  return { id, kind: interruptKind.auth, callId, message: 'Sign in.', schemaJson: '{}' };
};

/** A run whose call asks to sign in, and which goes on with another one. */
async function askingRun(world: World): Promise<Started> {
  const started = await withCalls(world);
  started.executor.say(durable({ case: 'interrupt', value: { interrupt: asked('i1', 'c1') } }));
  await settled();
  vi.advanceTimersByTime(20);
  await settled();
  return started;
}

async function waitingRun(world: World): Promise<Started> {
  const started = await askingRun(world);
  started.executor.yield('waiting');
  await until(() => world.drivers.count === 0);
  return started;
}

const answer = ({ sessionId, run }: Started, answerJson = '{"signed_in": true}', caller = fresh) => {
  return { caller, sessionId, runId: run.id, interruptId: 'i1', answerJson };
};

const everything = (world: World, { sessionId }: Started) =>
  JSON.stringify(
    [rowsOf(world, sessionId), [...world.store.interrupts.values()], [...world.store.runs.values()]],
    (_, value) => (typeof value === 'bigint' ? String(value) : value),
  );

describe('a run that waits for its user to sign in', () => {
  test('goes on with the token of the answer, which is told to nobody and sealed on its row', async () => {
    const world = inMemoryWorld();
    const started = await waitingRun(world);
    const before = (await runOf(world, started))?.sealedToken;
    expect((await world.answerInterrupt.execute(answer(started))).status).toBe('RUNNING');
    await redispatched(world);
    const told = {
      interruptId: 'i1',
      callId: 'c1',
      answerJson: '{"signed_in":true}',
      expired: false,
      answeredBy: 'alice',
    };
    expect(world.runtime.last.dispatch).toMatchObject({ caller: fresh, answers: [told] });
    expect(said(world, started).at(-2)).toEqual({ case: 'interruptAnswered', value: { answer: told } });
    expect((await runOf(world, started))?.sealedToken).not.toBe(before);
    expect(everything(world, started)).not.toContain('fresh-token');
  });

  test('goes on with that token when it is taken over, by whoever has only its row', async () => {
    const world = inMemoryWorld();
    const started = await waitingRun(world);
    await world.answerInterrupt.execute(answer(started));
    await redispatched(world);
    world.drivers.loseAll();
    await settled();
    world.own.id = '00000000-0000-7000-8000-0000000000ff';
    await world.instances.remove(instanceId);
    await world.takeOver.execute();
    await redispatched(world, 3);
    expect(world.runtime.last.dispatch.caller).toEqual(fresh);
  });

  test('goes on with that token also when it was answered before it began to wait', async () => {
    const world = inMemoryWorld();
    const started = await askingRun(world);
    expect(started.executor.dispatch.caller).toEqual(alice);
    expect((await world.answerInterrupt.execute(answer(started))).status).toBe('RUNNING');
    started.executor.yield('waiting');
    await redispatched(world);
    expect(world.runtime.last.dispatch).toMatchObject({ caller: fresh, answers: [{ interruptId: 'i1' }] });
    expect(said(world, started).map((data) => data.case)).not.toContain('runWaiting');
  });

  test('is answered once for all of its calls, and the same answer again is fine', async () => {
    const world = inMemoryWorld();
    const started = await askingRun(world);
    started.executor.say(durable({ case: 'interrupt', value: { interrupt: asked('i2', 'c2') } }));
    started.executor.yield('waiting');
    await until(() => world.drivers.count === 0);
    await world.answerInterrupt.execute({ ...answer(started), interruptId: 'i2' });
    await redispatched(world);
    expect(said(world, started).filter((data) => data.case === 'interruptAnswered')).toHaveLength(2);
    expect(await world.answerInterrupt.execute(answer(started, '{ "signed_in": true }'))).toMatchObject({
      status: 'RUNNING',
    });
    await expect(world.answerInterrupt.execute(answer(started, '{"signed_in": false}'))).rejects.toMatchObject({
      reason: 'INTERRUPT_ANSWERED',
    });
  });

  test('goes on with what it has when the user does not sign in', async () => {
    const world = inMemoryWorld();
    const started = await waitingRun(world);
    const before = (await runOf(world, started))?.sealedToken;
    await world.answerInterrupt.execute(answer(started, '{"signed_in": false}', { ...alice, token: '' }));
    await redispatched(world);
    expect(world.runtime.last.dispatch).toMatchObject({
      caller: alice,
      answers: [{ answerJson: '{"signed_in":false}' }],
    });
    expect((await runOf(world, started))?.sealedToken).toBe(before);
  });

  test.each([
    ['no token', '{"signed_in": true}', { ...alice, token: '' }, 'token'],
    ['something else', '{"answers": ["yes"]}', fresh, 'answer_json'],
    ['something besides', '{"signed_in": true, "token": "fresh-token"}', fresh, 'answer_json'],
  ])('takes no answer with %s, and says what to send', async (_, answerJson, caller, field) => {
    const world = inMemoryWorld();
    const started = await waitingRun(world);
    await expect(world.answerInterrupt.execute(answer(started, answerJson, caller))).rejects.toMatchObject({
      reason: 'INVALID_FIELD',
      message: expect.stringContaining('"signed_in": false'),
      violations: [{ field }],
    });
    expect(await runOf(world, started)).toMatchObject({ status: 'WAITING' });
    expect(await world.interrupts.open(started.run.id)).toEqual([asked('i1', 'c1')]);
  });

  test('is not there for anybody else', async () => {
    const world = inMemoryWorld();
    const started = await waitingRun(world);
    const mallory = { ...fresh, uid: 'mallory' as typeof alice.uid };
    await expect(world.answerInterrupt.execute(answer(started, undefined, mallory))).rejects.toMatchObject({
      reason: 'SESSION_NOT_FOUND',
    });
  });
});

test('a run that asks something else keeps its token, also when the answer comes without one', async () => {
  const world = inMemoryWorld();
  const started = await withCalls(world);
  const interrupt = { ...asked('i1', 'c1'), kind: interruptKind.question };
  started.executor.say(durable({ case: 'interrupt', value: { interrupt } }));
  started.executor.yield('waiting');
  await until(() => world.drivers.count === 0);
  await world.answerInterrupt.execute(answer(started, '"a"', { ...alice, token: '' }));
  await redispatched(world);
  expect(world.runtime.last.dispatch.caller).toEqual(alice);
});
