import { Code, type ConnectError } from '@connectrpc/connect';
import { ErrorReason } from '@spanwise/contracts/spanwise/error/v1/error';
import { errorInfoOf } from '@spanwise/service-kit';
import { describe, expect, it } from 'vitest';
import { hanging, startServiceWorld } from './doubles/service-world.ts';
import { TestDriver, userMessage } from './doubles/test-driver.ts';

describe('a stream that breaks the rules', () => {
  const reasonOf = (error: unknown) => errorInfoOf(error as ConnectError)?.reason;

  it('is refused when it names no agent that there is', async () => {
    await using world = await startServiceWorld();
    const { client } = world;
    const driver = new TestDriver(client).start({ agent: 'nobody' });
    await expect(driver.finished).rejects.toMatchObject({ code: Code.NotFound });
    await expect(driver.finished).rejects.toSatisfy((error) => reasonOf(error) === 'AGENT_NOT_FOUND');
    expect(driver.frames).toEqual([]);
  });

  it('is refused when its first frame can not be used', async () => {
    await using world = await startServiceWorld();
    const { client } = world;
    await expect(new TestDriver(client).start({ runId: '' }).finished).rejects.toMatchObject({
      code: Code.InvalidArgument,
    });
    await expect(new TestDriver(client).history(userMessage('x')).finished).rejects.toMatchObject({
      code: Code.InvalidArgument,
    });
    const silent = new TestDriver(client);
    silent.end();
    await expect(silent.finished).rejects.toMatchObject({ code: Code.InvalidArgument });
  });

  it('is refused when it names no user', async () => {
    await using world = await startServiceWorld();
    const { client } = world;
    await expect(Array.fromAsync(client.run((async function* () {})()))).rejects.toMatchObject({
      code: Code.Unauthenticated,
    });
  });

  it.each([
    ['a second start', (driver: TestDriver) => driver.send({ case: 'start', value: {} })],
    ['an ack of what was not sent', (driver: TestDriver) => driver.ack(7n)],
    ['history after its end', (driver: TestDriver) => driver.history(userMessage('late'))],
  ])('fails for %s, with everything closed', async (_, breakRule) => {
    await using world = await startServiceWorld(hanging);
    const { client } = world;
    const driver = new TestDriver(client).start();
    await driver.untilEvent('textDelta');
    breakRule(driver);
    expect(await driver.finished).toMatchObject({
      outcome: { case: 'failed', value: { reason: ErrorReason.INVALID_FIELD } },
    });
    expect(driver.events.at(-1)?.data.case).toBe('spanEnd');
  });

  it('fails with CONTEXT_INVALID when the dialogue can not be read', async () => {
    await using world = await startServiceWorld();
    const { client } = world;
    const driver = new TestDriver(client).dispatch();
    driver.send({ case: 'history', value: { messages: [new Uint8Array([0xff])], last: true } });
    expect(await driver.finished).toMatchObject({
      outcome: { case: 'failed', value: { reason: ErrorReason.CONTEXT_INVALID } },
    });
  });
});

describe('ListAgents', () => {
  it('lists the shipped agents', async () => {
    await using world = await startServiceWorld();
    const { client } = world;
    const { agents } = await client.listAgents({}, { headers: { uid: 'ann' } });
    expect(agents).toMatchObject([
      { name: 'default', model: 'gpt-5-mini', maxTurns: 25, description: expect.any(String) },
      { name: 'researcher', model: 'gpt-5-mini', maxTurns: 12, description: expect.any(String) },
    ]);
  });
});
