import { YieldReason } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { Role, ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { describe, expect, it } from 'vitest';
import { answer, asking, outcomesOf, startServiceWorld } from './doubles/service-world.ts';
import { TestDriver } from './doubles/test-driver.ts';

/** As a driver says that keeps threads. */
const threads = { threads: true };
const task = { agent: 'researcher', task: 'Read it.' };
const delegates = asking({ name: 'delegate', arguments: JSON.stringify(task) });
const rolesOf = (driver: TestDriver, threadId: string) => driver.threads.get(threadId)?.map(({ role }) => role);

describe('a run that delegates to the researcher', () => {
  it('asks its model with its own instructions and tools, and passes its answer on', async () => {
    await using world = await startServiceWorld(delegates, asking('read'), answer, answer);
    const driver = new TestDriver(world.client).start(threads);
    expect(await driver.finished).toMatchObject({ outcome: { case: 'completed' }, usage: { inputTokens: 400n } });
    const [first, second, , last] = world.model.calls.map(({ body }) => JSON.stringify(body));
    expect(first).toContain('- researcher: Finds facts in files');
    expect(second).toContain('You are researcher, who finds things out');
    expect(second).not.toContain('"name":"slow"');
    expect(last).toContain('"content":"Hello."');
    const threadId = driver.events.find(({ data }) => data.case === 'toolCallStart')?.threadId;
    expect(threadId).toBe('');
    const [, thread = ''] = driver.threads.keys();
    expect(rolesOf(driver, '')).toEqual([Role.ASSISTANT, Role.TOOL, Role.ASSISTANT]);
    expect(rolesOf(driver, thread)).toEqual([Role.USER, Role.ASSISTANT, Role.TOOL, Role.ASSISTANT]);
    expect(outcomesOf(driver)).toEqual([ToolOutcome.OK, ToolOutcome.OK]);
    const texts = driver.events.flatMap(({ data, threadId: of }) => (data.case === 'textStart' ? [of] : []));
    expect(texts).toEqual([thread, '']);
  });

  it('is detached after its turn, and goes on with it where it was', async () => {
    const gate = Promise.withResolvers<void>();
    const reading = asking('read');
    await using world = await startServiceWorld(
      ...[delegates, { ...reading, body: [gate.promise, ...reading.body] }, answer, answer],
    );
    const { client, model, peers } = world;
    const first = new TestDriver(client).start(threads);
    await model.untilCalls(2);
    first.detach(60_000);
    gate.resolve();
    expect(await first.finished).toBeUndefined();
    expect(first.last).toMatchObject({ case: 'yield', value: { reason: YieldReason.DETACHED } });
    const [, thread = ''] = first.threads.keys();
    expect(rolesOf(first, thread)).toEqual([Role.USER, Role.ASSISTANT, Role.TOOL]);
    const second = new TestDriver(client).startAgain(first, threads);
    expect(await second.finished).toMatchObject({ outcome: { case: 'completed' } });
    expect(rolesOf(second, thread)).toEqual([Role.ASSISTANT]);
    expect(rolesOf(second, '')).toEqual([Role.TOOL, Role.ASSISTANT]);
    expect(peers.executions.map(({ tool }) => tool)).toEqual(['read']);
    const names = second.events.flatMap(({ data }) => (data.case === 'spanStart' ? [data.value.name] : []));
    expect(names).toEqual([
      'turn 1 (resumed)',
      'execute_tool delegate',
      'turn 2',
      'chat gpt-5-mini',
      'turn 2',
      'chat gpt-5-mini',
    ]);
  });

  it('is not offered to delegate by a driver that keeps no threads', async () => {
    await using world = await startServiceWorld(answer);
    await new TestDriver(world.client).start().finished;
    expect(JSON.stringify(world.model.calls[0]?.body)).not.toContain('"name":"delegate"');
  });
});
