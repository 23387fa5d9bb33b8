import { setTimeout as delay } from 'node:timers/promises';
import { Code, type ConnectError } from '@connectrpc/connect';
import { YieldReason } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { errorInfoOf } from '@spanwise/service-kit';
import { describe, expect, it } from 'vitest';
import { answer, asking, hanging, outcomesOf, startServiceWorld } from './doubles/service-world.ts';
import { TestDriver } from './doubles/test-driver.ts';

const detached = { case: 'yield', value: { reason: YieldReason.DETACHED } };
const spansOf = ({ events }: TestDriver) =>
  events.flatMap(({ data }) => (data.case === 'spanStart' ? [data.value.name] : []));

describe('a run that is detached', () => {
  it('leaves its tools to tool-host, and has their results in the next dispatch', async () => {
    await using world = await startServiceWorld(asking('read', 'slow', 'read'), answer);
    const { client, peers } = world;
    const first = new TestDriver(client).start();
    await peers.begun('slow');
    first.detach(0);
    expect(await first.finished).toBeUndefined();
    expect(first.last).toMatchObject({ ...detached, value: { usage: { inputTokens: 100n } } });
    expect(outcomesOf(first)).toEqual([ToolOutcome.OK]);
    peers.release();
    const second = new TestDriver(client).startAgain(first);
    expect(await second.finished).toMatchObject({ outcome: { case: 'completed' }, usage: { inputTokens: 100n } });
    expect(outcomesOf(second)).toEqual([ToolOutcome.OK, ToolOutcome.OK]);
    expect(spansOf(second)).toEqual(['turn 1 (resumed)', 'execute_tool read', 'turn 2', 'chat gpt-5-mini']);
    expect(peers.executions.map(({ tool, epoch }) => [tool, epoch])).toEqual([
      ['read', 1n],
      ['slow', 1n],
      ['read', 2n],
    ]);
    expect(peers.cancelled).toEqual([]);
    const counts = peers.calls.map(({ name }) => name).filter((name) => name === 'listTools');
    expect(counts, 'tools are listed for the first dispatch only').toHaveLength(1);
    expect(second.rows[0]?.parts).toHaveLength(3);
  });

  it('breaks its model call off when the time is over', async () => {
    await using world = await startServiceWorld(hanging, answer);
    const { client, model } = world;
    const first = new TestDriver(client).start();
    await first.untilEvent('textDelta');
    first.detach(50);
    await first.finished;
    expect(first.last).toMatchObject(detached);
    await model.calls[0]?.closed;
    expect(first.events.at(-1)?.data.case).toBe('textDelta');
    const second = new TestDriver(client).startAgain(first);
    expect(await second.finished).toMatchObject({ outcome: { case: 'completed' } });
  });

  it('finishes its turn in the time that it has', async () => {
    await using world = await startServiceWorld(asking('slow'));
    const { client, peers } = world;
    const driver = new TestDriver(client).start();
    await peers.begun('slow');
    driver.detach(60_000);
    peers.release();
    await driver.finished;
    expect(driver.cases.slice(-2)).toEqual(['checkpoint', 'yield']);
    expect(outcomesOf(driver)).toEqual([ToolOutcome.OK]);
  });
});

describe('a run that asks the user', () => {
  it('waits in no dispatch, and has the answer in the next one', async () => {
    await using world = await startServiceWorld(asking('ask_user', 'read'), answer);
    const { client, model, peers } = world;
    const first = new TestDriver(client).start();
    await first.finished;
    expect(first.last).toMatchObject({ case: 'yield', value: { reason: YieldReason.WAITING } });
    const [interrupt] = first.events.flatMap(({ data }) =>
      data.case === 'interrupt' && data.value.interrupt !== undefined ? [data.value.interrupt] : [],
    );
    const { id: interruptId, callId } = interrupt ?? {};
    expect(interrupt).toMatchObject({ message: 'Shall I?', callId: peers.executions[0]?.callId });
    const answers = [{ interruptId, callId, answerJson: '"yes"', answeredBy: 'ann' }];
    const second = new TestDriver(client).startAgain(first, { answers });
    expect(await second.finished).toMatchObject({ outcome: { case: 'completed' } });
    expect(model.calls[1]?.body.messages).toMatchObject([
      { role: 'system' },
      { role: 'user' },
      { role: 'assistant' },
      { role: 'tool', tool_call_id: callId, content: '"yes"' },
      { role: 'tool', content: 'what is in it' },
    ]);
    expect(peers.executions.at(-1)).toMatchObject({ tool: 'ask_user', answer: { interruptId, answerJson: '"yes"' } });
  });

  it('is not offered to ask when nobody is there', async () => {
    await using world = await startServiceWorld(answer);
    const { client, model } = world;
    await new TestDriver(client).start({ interactive: false }).finished;
    expect(JSON.stringify(model.calls[0]?.body.tools)).not.toContain('ask_user');
  });
});

describe('tool-host that is restarted in the middle of a call', () => {
  it('is not noticed when the call may be repeated', async () => {
    await using world = await startServiceWorld(asking('retry'), answer);
    const { client, peers } = world;
    const driver = new TestDriver(client).start();
    expect(await driver.finished).toMatchObject({ outcome: { case: 'completed' } });
    expect(outcomesOf(driver)).toEqual([ToolOutcome.OK]);
    expect(new Set(peers.executions.map(({ callId }) => callId)).size).toBe(1);
    expect(peers.executions).toHaveLength(2);
  });
});

describe('tool-host whose database is away', () => {
  it('is tried again, as nothing was begun', async () => {
    await using world = await startServiceWorld(asking('busy'), answer);
    const driver = new TestDriver(world.client).start();
    expect(await driver.finished).toMatchObject({ outcome: { case: 'completed' } });
    expect(outcomesOf(driver)).toEqual([ToolOutcome.OK]);
    expect(world.peers.executions).toHaveLength(5);
  });
});

describe('a service that shuts down', () => {
  const refused = (error: unknown) => errorInfoOf(error as ConnectError)?.reason === 'SHUTTING_DOWN';

  it('refuses new runs, lets go of those that go on, and of their tools when they are done', async () => {
    await using world = await startServiceWorld(asking('slow'));
    const { client, service, peers } = world;
    const driver = new TestDriver(client).start();
    await peers.begun('slow');
    let isDrained = false;
    const draining = service.drain?.().then(() => {
      isDrained = true;
    });
    await expect(new TestDriver(client).start().finished).rejects.toSatisfy(refused);
    await driver.finished;
    expect(driver.last).toMatchObject(detached);
    expect(isDrained).toBe(false);
    peers.release();
    await draining;
    await service.server.stop(50);
    expect(peers.cancelled).toEqual([]);
  });

  it('lets go of its runs also when it is only disposed of', async () => {
    const world = await startServiceWorld(hanging);
    const driver = new TestDriver(world.client).start();
    await driver.untilEvent('textDelta');
    await world[Symbol.asyncDispose]();
    await driver.finished;
    expect(driver.last).toMatchObject(detached);
  });

  it('refuses new runs from the begin of it, and lets those go on that it has', async () => {
    await using world = await startServiceWorld(asking('slow'), answer);
    const { client, service, peers } = world;
    const driver = new TestDriver(client).start();
    await peers.begun('slow');
    service.server.drain();
    // Long enough for the connection to be given up for new streams.
    await delay(50);
    await expect(new TestDriver(client).start().finished).rejects.toSatisfy(refused);
    peers.release();
    expect(await driver.finished).toMatchObject({ outcome: { case: 'completed' } });
  });

  it('ends the streams as unavailable when it is stopped without being drained', async () => {
    await using world = await startServiceWorld(hanging);
    const { client, service, model } = world;
    const driver = new TestDriver(client).start();
    await driver.untilEvent('textDelta');
    await service.server.stop(50);
    await expect(driver.finished).rejects.toMatchObject({ code: Code.Unavailable });
    await model.calls[0]?.closed;
  });
});
