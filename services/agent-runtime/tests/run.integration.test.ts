import { setTimeout as delay } from 'node:timers/promises';
import { Code } from '@connectrpc/connect';
import { ErrorReason } from '@spanwise/contracts/spanwise/error/v1/error';
import { FinishReason } from '@spanwise/contracts/spanwise/event/v1/event';
import { Role, ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { describe, expect, it } from 'vitest';
import { chunks, done } from './doubles/model-server.ts';
import { shownInPart } from './doubles/peer-services.ts';
import { answer, asking, hanging, outcomesOf, startServiceWorld } from './doubles/service-world.ts';
import { runId, sessionId, TestDriver, userMessage } from './doubles/test-driver.ts';

describe('a run over the wire', () => {
  it('streams an answer, checkpoints it and finishes', async () => {
    await using world = await startServiceWorld(answer);
    const { client } = world;
    const driver = new TestDriver(client).start();
    expect(await driver.finished).toMatchObject({
      outcome: { case: 'completed', value: FinishReason.STOP },
      usage: { inputTokens: 100n, outputTokens: 20n },
    });
    expect(driver.cases).toEqual([...driver.cases.slice(0, -2).fill('events'), 'checkpoint', 'finish']);
    expect(driver.events.map(({ data }) => data.case)).toEqual([
      'spanStart',
      'spanStart',
      'textStart',
      'textDelta',
      'textDelta',
      'textEnd',
      'usage',
      'spanEnd',
      'message',
      'spanEnd',
    ]);
    expect(driver.rows).toMatchObject([
      { role: Role.ASSISTANT, runId, parts: [{ part: { value: { text: 'Hello.' } } }] },
    ]);
    expect(
      driver.events.every(({ seq, sessionId: session, runId: run, epoch }) => !seq && !session && !run && !epoch),
    ).toBe(true);
  });

  it('executes tools for the user of the run and shows the model their results under our call ids', async () => {
    await using world = await startServiceWorld(
      asking({ name: 'read', arguments: '{"path":"/library/a"}' }, 'read'),
      answer,
    );
    const { client, peers, model } = world;
    const driver = new TestDriver(client).start();
    expect(await driver.finished).toMatchObject({ outcome: { case: 'completed' }, usage: { inputTokens: 200n } });
    expect(driver.cases.filter((name) => name === 'checkpoint')).toHaveLength(3);
    const [turn] = driver.events;
    const inTheRun = { uid: 'ann', token: 'secret', parent: 'aaaaaaaaaaaaaaaa' };
    const inTheTurn = { ...inTheRun, parent: turn?.span?.id };
    expect(peers.calls.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: 'executeTool', ...inTheTurn },
      { name: 'executeTool', ...inTheTurn },
      { name: 'listTools', ...inTheRun },
      { name: `openView ${runId} with a layer`, ...inTheRun },
    ]);
    const ids = driver.events.flatMap(({ data }) => (data.case === 'toolCallStart' ? [data.value.callId] : []));
    const results = ids.map((callId) => ({ callId, code: 'NOTED', truncated: shownInPart }));
    const said = driver.events.flatMap(({ data }) => (data.case === 'toolResult' ? [data.value] : []));
    expect(said.toSorted((a, b) => ids.indexOf(a.callId) - ids.indexOf(b.callId))).toMatchObject(results);
    expect(driver.rows[1]?.parts.map(({ part }) => part.value)).toMatchObject(results);
    expect(peers.executions).toMatchObject([
      { sessionId, runId, epoch: 1n, callId: ids[0], tool: 'read', argumentsJson: '{"path":"/library/a"}' },
      { callId: ids[1], argumentsJson: '{}' },
    ]);
    expect(model.calls[1]?.body).toMatchObject({
      messages: [
        { role: 'system', content: expect.stringContaining('/workspace') },
        { role: 'user', content: 'hello' },
        { role: 'assistant', tool_calls: [{ id: ids[0] }, { id: ids[1] }] },
        { role: 'tool', tool_call_id: ids[0], content: 'what is in it' },
        { role: 'tool', tool_call_id: ids[1], content: 'what is in it' },
      ],
      tools: ['ask_user', 'busy', 'die', 'fenced', 'hang', 'read', 'retry', 'slow'].map((name) => ({
        function: { name },
      })),
    });
  });

  it('opens the view without a layer for a driver that does not publish it', async () => {
    await using world = await startServiceWorld(answer);
    const driver = new TestDriver(world.client).start({ runLayer: false });
    await driver.finished;
    const views = world.peers.calls.map(({ name }) => name).filter((name) => name.startsWith('openView'));
    expect(views).toEqual([`openView ${runId}`]);
  });

  it('passes on what tool-host says of its spans and its progress', async () => {
    await using world = await startServiceWorld(asking('read'), answer);
    const { client } = world;
    const driver = new TestDriver(client).start();
    await driver.finished;
    const names = driver.events.flatMap(({ data }) => (data.case === 'spanStart' ? [data.value.name] : []));
    expect(names).toEqual(['turn 1', 'chat gpt-5-mini', 'execute_tool read', 'turn 2', 'chat gpt-5-mini']);
    expect(driver.events.filter(({ data }) => data.case === 'spanEnd')).toHaveLength(5);
    expect(driver.events.filter(({ data }) => data.case === 'toolProgress')).toHaveLength(1);
  });

  it('executes no tool before the checkpoint of its call is acknowledged', async () => {
    await using world = await startServiceWorld(asking('read'), answer);
    const { client, peers } = world;
    const driver = new TestDriver(client, { acks: 'manually' }).start();
    await driver.until('checkpoint');
    await delay(100);
    expect(peers.executions).toEqual([]);
    driver.ack(1n);
    await driver.until('checkpoint', 2);
    expect(peers.executions).toHaveLength(1);
    driver.ack(2n);
    await driver.until('checkpoint', 3);
    driver.ack(3n);
    expect(await driver.finished).toMatchObject({ outcome: { case: 'completed' } });
  });

  it('loads a dialogue of many frames', async () => {
    await using world = await startServiceWorld(answer);
    const { client, model } = world;
    const driver = new TestDriver(client).dispatch();
    driver.history(userMessage('one'), userMessage('two'), userMessage('three'));
    await driver.finished;
    expect(model.calls[0]?.body.messages).toMatchObject([
      { role: 'system' },
      { role: 'user', content: 'one\n\ntwo\n\nthree' },
    ]);
  });

  it('sends many deltas in few frames', async () => {
    const deltas = Array.from({ length: 2000 }, (_, index) => ({ content: ` ${index}` }));
    await using world = await startServiceWorld({ body: [chunks(...deltas, 'stop'), done] });
    const { client } = world;
    const driver = new TestDriver(client).start();
    await driver.finished;
    expect(driver.events.filter(({ data }) => data.case === 'textDelta')).toHaveLength(2000);
    expect(driver.frames.length).toBeLessThan(100);
  });

  it('tells the model when tool-host is lost in the middle of a call that may not be repeated, and goes on', async () => {
    await using world = await startServiceWorld(asking('die'), answer);
    const { client } = world;
    const driver = new TestDriver(client).start();
    expect(await driver.finished).toMatchObject({ outcome: { case: 'completed', value: FinishReason.STOP } });
    expect(outcomesOf(driver)).toEqual([ToolOutcome.UNKNOWN]);
    const spans = driver.events.filter(({ data }) => data.case === 'spanStart' || data.case === 'spanEnd');
    expect(spans).toHaveLength(10);
  });

  it('repeats a model call that fails before it says anything', async () => {
    await using world = await startServiceWorld(
      { status: 503, headers: { 'retry-after-ms': '10' }, body: ['{}'] },
      answer,
    );
    const { client, model } = world;
    const driver = new TestDriver(client).start();
    expect(await driver.finished).toMatchObject({ outcome: { case: 'completed' } });
    expect(model.calls).toHaveLength(2);
  });

  it('fails with the catalogue’s reason when the model refuses', async () => {
    await using world = await startServiceWorld({
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: ['{}'],
    });
    const { client } = world;
    const driver = new TestDriver(client).start();
    expect(await driver.finished).toMatchObject({
      outcome: {
        case: 'failed',
        value: { reason: ErrorReason.MODEL_REJECTED, code: Code.FailedPrecondition, retryable: false },
      },
    });
  });

  it('fails at the deadline that the driver sets', async () => {
    await using world = await startServiceWorld(hanging);
    const { client, model } = world;
    const seconds = BigInt(Math.floor(Date.now() / 1000) + 1);
    const driver = new TestDriver(client).start({ deadline: { seconds, nanos: 0 } });
    expect(await driver.finished).toMatchObject({
      outcome: { case: 'failed', value: { reason: ErrorReason.RUN_DEADLINE_EXCEEDED } },
    });
    await model.calls[0]?.closed;
  });
});
