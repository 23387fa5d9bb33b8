import { setTimeout as delay } from 'node:timers/promises';
import { Code, type ConnectError } from '@connectrpc/connect';
import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { errorInfoOf } from '@spanwise/service-kit';
import { describe, expect, it } from 'vitest';
import { asking, hanging, outcomesOf, startServiceWorld } from './doubles/service-world.ts';
import { runId, sessionId, TestDriver } from './doubles/test-driver.ts';

describe('stopping a run', () => {
  it('closes the model’s connection when the driver aborts it', async () => {
    await using world = await startServiceWorld(hanging);
    const { client, model } = world;
    const driver = new TestDriver(client).start();
    await driver.untilEvent('textDelta');
    driver.abort();
    expect(await driver.finished).toMatchObject({ outcome: { case: 'aborted' } });
    await model.calls[0]?.closed;
    expect(driver.events.map(({ data }) => data.case).slice(-4)).toEqual([
      'textEnd',
      'messageAbandoned',
      'spanEnd',
      'spanEnd',
    ]);
    expect(driver.rows).toEqual([]);
  });

  it('stops the tools and answers their calls when the driver aborts it', async () => {
    await using world = await startServiceWorld(asking('read', 'hang', 'read'));
    const { client, peers } = world;
    const driver = new TestDriver(client).start();
    await peers.begun('hang');
    await driver.until('checkpoint');
    driver.abort();
    expect(await driver.finished).toMatchObject({ outcome: { case: 'aborted' } });
    await peers.stopped('hang');
    expect(driver.cases.slice(-2)).toEqual(['checkpoint', 'finish']);
    expect(outcomesOf(driver)).toEqual([ToolOutcome.OK, ToolOutcome.CANCELLED, ToolOutcome.NOT_STARTED]);
    expect(driver.rows[1]?.parts).toHaveLength(3);
  });

  it('aborts it when a cancel is announced, and says that it held it', async () => {
    await using world = await startServiceWorld(hanging);
    const { client, announceCancel } = world;
    const driver = new TestDriver(client).start();
    await driver.untilEvent('textDelta');
    expect(announceCancel(sessionId)).toBe(false);
    expect(announceCancel(runId)).toBe(true);
    expect(await driver.finished).toMatchObject({ outcome: { case: 'aborted' } });
    expect(announceCancel(runId)).toBe(false);
  });

  it('aborts it when an ack says so, before any tool is begun', async () => {
    await using world = await startServiceWorld(asking('read'));
    const { client, peers } = world;
    const driver = new TestDriver(client, { acks: 'manually' }).start();
    await driver.until('checkpoint');
    driver.ack(1n, true);
    expect(await driver.finished).toMatchObject({ outcome: { case: 'aborted' } });
    expect(outcomesOf(driver)).toEqual([ToolOutcome.NOT_STARTED]);
    expect(peers.executions).toEqual([]);
  });

  it('aborts it when the driver ends its side of the stream', async () => {
    await using world = await startServiceWorld(hanging);
    const { client, model } = world;
    const driver = new TestDriver(client).start();
    await driver.untilEvent('textDelta');
    driver.end();
    expect(await driver.finished).toMatchObject({ outcome: { case: 'aborted' } });
    await model.calls[0]?.closed;
  });

  it('stops model and tools when the driver vanishes, and lets go of the run', async () => {
    await using world = await startServiceWorld(hanging, asking('hang'));
    const { client, model, peers, announceCancel } = world;
    const first = new TestDriver(client).start();
    await first.untilEvent('textDelta');
    first.vanish();
    await model.calls[0]?.closed;
    const second = new TestDriver(client).start();
    await peers.begun('hang');
    second.vanish();
    await peers.stopped('hang');
    await delay(20);
    expect(announceCancel(runId)).toBe(false);
  });

  it('stops model and tools when tool-host says that another dispatch took the run over', async () => {
    await using world = await startServiceWorld(asking('fenced'));
    const { client } = world;
    const driver = new TestDriver(client).start();
    await expect(driver.finished).rejects.toMatchObject({ code: Code.Aborted });
    await expect(driver.finished).rejects.toSatisfy((error) => errorInfoOf(error as ConnectError)?.reason === 'FENCED');
    expect(outcomesOf(driver)).toEqual([]);
    expect(driver.cases.filter((kind) => kind === 'checkpoint')).toHaveLength(1);
  });
});
