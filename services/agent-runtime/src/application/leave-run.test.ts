import { describe, expect, it } from 'vitest';
import type { MemoryTool } from '../../tests/doubles/memory-tool-host.ts';
import { RunWorld } from '../../tests/doubles/run-world.ts';
import { settled } from '../../tests/doubles/virtual-time.ts';
import { toolOutcome } from '../domain/message/message.ts';
import { asksFor, finish, reasoning, says, text } from '../infrastructure/model-providers/scripted/script.ts';

const never = new Promise<never>(() => undefined);
const call = (tool: string, argumentsJson = '{}') => ({ tool, argumentsJson });
const read: MemoryTool = { name: 'read', effect: 'read-only', run: () => 'read it' };
const detached = { ended: 'yielded', why: 'detached' } as const;

function gatedTool(effect: MemoryTool['effect'] = 'non-repeatable') {
  const gate = Promise.withResolvers<string>();
  return { gate, slow: { name: 'slow', effect, run: () => gate.promise } satisfies MemoryTool };
}

describe('a run that is asked to leave', () => {
  it('before its first turn begins none', async () => {
    const world = new RunWorld({ script: [says('hi')] });
    world.leave(10_000);
    expect(await world.run()).toMatchObject(detached);
    expect(world.journal.events).toEqual([]);
    expect(world.model.requests).toEqual([]);
  });

  it('finishes its turn, with its calls, and goes no further', async () => {
    const { gate, slow } = gatedTool();
    const world = new RunWorld({ script: [asksFor(call('slow'), call('read')), says('never')], tools: [read, slow] });
    const running = world.run();
    await world.journal.until('spanStart', 3);
    world.leave(10_000);
    await world.time.advance(9_999);
    gate.resolve('done');
    expect(await running).toMatchObject({ ...detached, usage: { inputTokens: 10n } });
    expect(world.journal.checkpoints).toHaveLength(2);
    expect(world.journal.said('toolResult')).toHaveLength(2);
    expect(world.model.remaining).toBe(1);
    const second = world.again({ script: [says('done')] });
    expect(await second.run()).toMatchObject({ ended: 'completed' });
    expect(second.journal.said('spanStart').map(({ name }) => name)).toEqual(['turn 2', 'chat test-model']);
  });

  it('ends as usual when it is over anyway', async () => {
    const gate = Promise.withResolvers<void>();
    const steps = [...text('half').slice(0, 2), { type: 'pause', until: gate.promise } as const, ...finish('length')];
    const world = new RunWorld({ script: [{ steps }] });
    const running = world.run();
    await world.journal.until('textDelta');
    world.leave(10_000);
    gate.resolve();
    expect(await running).toMatchObject({ ended: 'completed', finish: 'length' });
  });

  it('ends as usual when only the ack of its last message is missing at the end of its time', async () => {
    const world = new RunWorld({ script: [says('hi')], acknowledge: () => never });
    const running = world.run();
    await world.journal.untilCheckpoint(1);
    world.leave(0);
    expect(await running).toMatchObject({ ended: 'completed', finish: 'stop' });
  });

  it('begins no call when its time is over before their message is committed', async () => {
    const world = new RunWorld({ script: [asksFor(call('read'))], tools: [read], acknowledge: () => never });
    const running = world.run();
    await world.journal.untilCheckpoint(1);
    world.leave(0);
    expect(await running).toMatchObject(detached);
    expect(world.toolHost.executions).toEqual([]);
    const second = world.again({ script: [says('done')], acknowledge: () => ({ cancelRequested: false }) });
    expect(await second.run()).toMatchObject({ ended: 'completed' });
  });

  it('breaks the model off at the end of its time, and says nothing more about it', async () => {
    const world = new RunWorld({
      script: [{ steps: [...reasoning('hm'), ...text('half an').slice(0, 2), { type: 'pause', until: never }] }],
    });
    const running = world.run();
    await world.journal.until('textDelta');
    world.leave(5_000);
    await world.time.advance(4_999);
    expect(world.ended).toEqual([]);
    await world.time.advance(1);
    expect(await running).toMatchObject(detached);
    expect(world.journal.cases.at(-1)).toBe('textDelta');
    const second = world.again({ script: [says('whole')] });
    expect(await second.run()).toMatchObject({ ended: 'completed' });
    expect(second.journal.said('spanStart')[0]).toMatchObject({ name: 'turn 1' });
  });

  it('does not wait to ask a failed model again', async () => {
    const world = new RunWorld({ script: [{ steps: text('half').slice(0, 2) }, says('never')] });
    const running = world.run();
    await world.journal.until('messageAbandoned');
    world.leave(0);
    expect(await running).toMatchObject(detached);
    expect(world.model.remaining).toBe(1);
  });

  it('leaves its tools to tool-host at the end of its time, and begins no others', async () => {
    const { gate, slow } = gatedTool();
    const world = new RunWorld({ script: [asksFor(call('read'), call('slow'), call('slow'))], tools: [read, slow] });
    const running = world.run();
    await world.journal.until('spanStart', 4);
    world.leave(1_000);
    await world.time.advance(1_000);
    expect(await running).toMatchObject(detached);
    const { length } = world.journal.events;
    let isOver = false;
    void world.leftExecutions.over().then(() => {
      isOver = true;
    });
    await settled();
    expect([isOver, world.toolHost.log]).toEqual([false, ['begin read', 'end read', 'begin slow']]);
    gate.resolve('done');
    await settled();
    expect([isOver, world.toolHost.log.at(-1)]).toEqual([true, 'end slow']);
    expect(world.journal.events).toHaveLength(length);
  });

  it('leaves them also when its stream breaks afterwards', async () => {
    const { gate, slow } = gatedTool();
    const world = new RunWorld({ script: [asksFor(call('slow'))], tools: [slow] });
    const running = world.run();
    await world.journal.until('spanStart', 3);
    world.leave(0);
    world.cancel();
    expect(await running).toMatchObject(detached);
    gate.resolve('done');
    await world.leftExecutions.over();
    expect(world.toolHost.log).toEqual(['begin slow', 'end slow']);
  });

  it('is stopped, with its tools, when it is aborted in the time that it has', async () => {
    const { slow } = gatedTool();
    const world = new RunWorld({ script: [asksFor(call('slow'))], tools: [slow] });
    const running = world.run();
    await world.journal.until('spanStart', 3);
    world.leave(10_000);
    await world.time.advance(5_000);
    world.cancel();
    expect(await running).toMatchObject({ ended: 'aborted' });
    expect(world.toolHost.log).toEqual(['begin slow', 'stop slow']);
    expect(world.journal.said('toolResult')).toMatchObject([{ outcome: toolOutcome.cancelled }]);
  });

  it('waits rather than leaves when its calls ask the user', async () => {
    const question: MemoryTool = { name: 'ask_user', effect: 'idempotent', run: () => ({ asks: 'Shall I?' }) };
    const world = new RunWorld({ script: [asksFor(call('ask_user'))], tools: [question] });
    world.journal.onSaid = (count) => void (count === 1 && world.leave(10_000));
    expect(await world.run()).toMatchObject({ ended: 'yielded', why: 'waiting' });
  });

  it('leaves at the earlier time when it is asked twice', async () => {
    const world = new RunWorld({ script: [{ steps: [{ type: 'pause', until: never }] }] });
    const running = world.run();
    await world.journal.until('spanStart', 2);
    world.leave(60_000);
    world.leave(1_000);
    await world.time.advance(1_000);
    expect(await running).toMatchObject(detached);
  });

  it('goes on with the calls of an earlier dispatch only when it is not asked to leave first', async () => {
    const { gate, slow } = gatedTool();
    const first = new RunWorld({ script: [asksFor(call('slow'))], tools: [slow] });
    const running = first.run();
    await first.journal.until('spanStart', 3);
    first.leave(0);
    await running;
    const second = first.again({ script: [] });
    second.leave(10_000);
    expect(await second.run()).toMatchObject(detached);
    expect(second.journal.events).toEqual([]);
    gate.resolve('done');
    const third = second.again({ script: [says('done')] });
    expect(await third.run()).toMatchObject({ ended: 'completed' });
  });
});
