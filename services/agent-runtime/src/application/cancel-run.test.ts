import { describe, expect, it } from 'vitest';
import type { MemoryTool } from '../../tests/doubles/memory-tool-host.ts';
import { RunWorld } from '../../tests/doubles/run-world.ts';
import { settled } from '../../tests/doubles/virtual-time.ts';
import { toolOutcome } from '../domain/message/message.ts';
import { asksFor, finish, reasoning, says, text } from '../infrastructure/model-providers/scripted/script.ts';

const never = new Promise<never>(() => undefined);
const hang: MemoryTool = { name: 'hang', effect: 'non-repeatable', run: () => never };
const slowRead: MemoryTool = { name: 'slow_read', effect: 'read-only', run: () => never };
const read: MemoryTool = { name: 'read', effect: 'read-only', run: () => 'read it' };
const call = (tool: string, argumentsJson = '{}') => ({ tool, argumentsJson });

/** Spans that ended as cancelled. */
const cancelledSpans = ({ journal }: RunWorld) => journal.said('spanEnd').filter(({ status }) => status === 3).length;

describe('a run that is cancelled', () => {
  it('before the model was asked asks no model', async () => {
    const world = new RunWorld({ script: [says('hi')] });
    world.cancel();
    expect(await world.run()).toMatchObject({ ended: 'aborted' });
    expect(world.model.requests).toEqual([]);
    expect(world.journal.events).toEqual([]);
  });

  it('before the first token closes its spans', async () => {
    const world = new RunWorld({ script: [{ steps: [{ type: 'pause', until: never }] }] });
    const running = world.run();
    await world.journal.until('spanStart', 2);
    world.cancel();
    expect(await running).toMatchObject({ ended: 'aborted' });
    expect(world.journal.cases).toEqual(['spanStart', 'spanStart', 'spanEnd', 'spanEnd']);
    expect(cancelledSpans(world)).toBe(2);
  });

  it('in the middle of a text ends the block and abandons the message', async () => {
    const world = new RunWorld({
      script: [{ steps: [...reasoning('hm'), ...text('half an').slice(0, 2), { type: 'pause', until: never }] }],
    });
    const running = world.run();
    await world.journal.until('textDelta');
    world.cancel();
    expect(await running).toMatchObject({ ended: 'aborted' });
    expect(world.journal.cases.slice(-5)).toEqual(['textDelta', 'textEnd', 'messageAbandoned', 'spanEnd', 'spanEnd']);
    expect(world.journal.said('messageAbandoned')).toMatchObject([{ reason: 2 }]);
    expect(world.journal.messages).toEqual([]);
  });

  it('in the middle of arguments ends the call and abandons the message, with no result for the call', async () => {
    const world = new RunWorld({
      script: [
        {
          steps: [
            { type: 'tool-call-start', id: 'a', name: 'read' },
            { type: 'tool-call-delta', id: 'a', text: '{"pa' },
            { type: 'pause', until: never },
          ],
        },
      ],
      tools: [read],
    });
    const running = world.run();
    await world.journal.until('toolCallDelta');
    world.cancel();
    expect(await running).toMatchObject({ ended: 'aborted' });
    expect(world.journal.said('toolCallEnd')).toMatchObject([{ argumentsJson: '{"pa' }]);
    expect(world.journal.said('toolResult')).toEqual([]);
    expect(world.journal.messages).toEqual([]);
  });

  it('while its first checkpoint is being committed gives the calls results though no tool was begun', async () => {
    const world = new RunWorld({
      script: [asksFor(call('hang'), call('read'))],
      tools: [hang, read],
      acknowledge: () => never,
    });
    const running = world.run();
    await world.journal.untilCheckpoint(1);
    world.cancel();
    expect(await running).toMatchObject({ ended: 'aborted' });
    expect(world.toolHost.executions).toEqual([]);
    expect(world.journal.said('toolResult').map(({ outcome }) => outcome)).toEqual([
      toolOutcome.notStarted,
      toolOutcome.notStarted,
    ]);
    expect(world.journal.checkpoints[1]?.events.map(({ data }) => data.case)).toEqual([
      'toolResult',
      'toolResult',
      'message',
      'spanEnd',
    ]);
  });

  it('by the ack of its first checkpoint begins no tool', async () => {
    const world = new RunWorld({
      script: [asksFor(call('read'))],
      tools: [read],
      acknowledge: () => ({ cancelRequested: true }),
    });
    expect(await world.run()).toMatchObject({ ended: 'aborted' });
    expect(world.toolHost.executions).toEqual([]);
    expect(world.journal.said('toolResult').map(({ outcome }) => outcome)).toEqual([toolOutcome.notStarted]);
  });

  it('by the ack of its second checkpoint begins no turn', async () => {
    const world = new RunWorld({
      script: [asksFor(call('read')), says('never')],
      tools: [read],
      acknowledge: (index) => ({ cancelRequested: index === 2 }),
    });
    expect(await world.run()).toMatchObject({ ended: 'aborted' });
    expect(world.model.remaining).toBe(1);
  });

  it('by the ack of its last checkpoint is aborted, for the driver to decide', async () => {
    const world = new RunWorld({ script: [says('hi')], acknowledge: () => ({ cancelRequested: true }) });
    expect(await world.run()).toMatchObject({ ended: 'aborted' });
    expect(world.journal.messages).toHaveLength(1);
  });

  it('while tools execute stops them, and tells what was done, begun and not begun apart', async () => {
    const world = new RunWorld({
      script: [asksFor(call('read'), call('slow_read'), call('hang'), call('read'))],
      tools: [read, slowRead, hang],
    });
    const running = world.run();
    await world.journal.until('toolResult');
    await settled();
    world.cancel();
    expect(await running).toMatchObject({ ended: 'aborted' });
    expect(world.toolHost.log).toEqual(['begin read', 'begin slow_read', 'end read', 'stop slow_read']);
    const [, results] = world.journal.messages;
    expect(results?.parts.map(({ part }) => part.case === 'toolResult' && part.value.outcome)).toEqual([
      toolOutcome.ok,
      toolOutcome.cancelled,
      toolOutcome.notStarted,
      toolOutcome.notStarted,
    ]);
    expect(cancelledSpans(world), 'the tool’s and the turn’s').toBe(2);
  });

  it('ignores what a tool says after it was stopped', async () => {
    let say: (message: string) => void = () => undefined;
    const chatty: MemoryTool = {
      name: 'chatty',
      effect: 'non-repeatable',
      run: (_, { progress }) => {
        say = progress;
        return never;
      },
    };
    const world = new RunWorld({ script: [asksFor(call('chatty'))], tools: [chatty] });
    const running = world.run();
    await world.journal.until('spanStart', 3);
    world.cancel();
    await running;
    say('too late');
    expect(world.journal.said('toolProgress')).toEqual([]);
  });

  it('while it waits to ask again does not ask again', async () => {
    const world = new RunWorld({ script: [{ steps: text('half').slice(0, 2) }, says('whole')] });
    const running = world.run();
    await world.journal.until('messageAbandoned');
    world.cancel();
    expect(await running).toMatchObject({ ended: 'aborted' });
    expect(world.model.remaining).toBe(1);
  });

  it('ends at once though the model does not heed the signal', async () => {
    const world = new RunWorld({ script: [{ steps: [...text('a'), ...finish('stop')] }] });
    const deaf: AsyncIterable<never> = { [Symbol.asyncIterator]: () => ({ next: () => never }) };
    world.model.stream = () => deaf as ReturnType<typeof world.model.stream>;
    const running = world.run();
    await world.journal.until('spanStart', 2);
    world.cancel();
    expect(await running).toMatchObject({ ended: 'aborted' });
  });
});

describe('a run that is cancelled at any moment', () => {
  const write: MemoryTool = { name: 'write', effect: 'idempotent', run: () => settled().then(() => 'wrote it') };
  const slow: MemoryTool = { name: 'slow', effect: 'read-only', run: () => settled().then(() => 'read it') };
  const world = () =>
    new RunWorld({
      script: [
        { steps: [...reasoning('hm'), ...text('I ', 'look').slice(0, 3)] },
        {
          steps: [
            ...text('I look'),
            ...asksFor(call('slow'), call('slow'), call('write'), call('nothing'), call('slow')).steps,
          ],
        },
        says('do', 'ne'),
      ],
      tools: [slow, write],
    });
  const drive = async (run: RunWorld) => {
    const running = run.run();
    // The first answer breaks off and is asked for again half a second later.
    await run.time.advance(500);
    return running;
  };

  it('leaves nothing open and the context valid', async () => {
    const whole = world();
    expect(await drive(whole)).toMatchObject({ ended: 'completed' });
    const { length } = whole.journal.events;
    for (let moment = 1; moment <= length; moment += 1) {
      const cancelled = world();
      cancelled.journal.onSaid = (count) => void (count >= moment && cancelled.cancel());
      const outcome = await drive(cancelled);
      expect(outcome.ended).toBe('aborted');
    }
    expect(length).toBeGreaterThan(40);
  });
});

describe('a run whose time is up', () => {
  it('fails with RUN_DEADLINE_EXCEEDED in the middle of a text, closed as if it were cancelled', async () => {
    const world = new RunWorld({
      script: [{ steps: [...text('half').slice(0, 2), { type: 'pause', until: never }] }],
      dispatch: { deadlineMs: Date.UTC(2026, 0, 1) + 5_000 },
    });
    const running = world.run();
    await world.journal.until('textDelta');
    await world.time.advance(4_999);
    expect(world.ended).toEqual([]);
    await world.time.advance(1);
    expect(await running).toMatchObject({
      ended: 'failed',
      error: { kind: 'deadline', reason: 'RUN_DEADLINE_EXCEEDED' },
    });
    expect(world.journal.said('messageAbandoned')).toHaveLength(1);
  });

  it('stops its tools and stores their results', async () => {
    const world = new RunWorld({ script: [asksFor(call('hang'))], tools: [hang] });
    const running = world.run();
    await world.journal.until('spanStart', 3);
    await world.time.advance(600_000);
    expect(await running).toMatchObject({ ended: 'failed', error: { reason: 'RUN_DEADLINE_EXCEEDED' } });
    expect(world.journal.said('toolResult')).toMatchObject([{ outcome: toolOutcome.cancelled }]);
    expect(world.journal.messages).toHaveLength(2);
  });

  it('has no more of it when it was dispatched again', async () => {
    const first = new RunWorld({ script: [asksFor(call('hang'))], tools: [hang] });
    const running = first.run();
    await first.journal.until('spanStart', 3);
    const beginMs = first.time.nowMs();
    await first.time.advance(400_000);
    first.leave(0);
    await running;
    // Ten minutes are the agent's, and it has waited for one of them.
    const second = first.again({ script: [says('never')], dispatch: { beginMs: beginMs + 60_000 } });
    void second.run();
    await second.time.advance(259_999);
    expect(second.ended).toEqual([]);
    await second.time.advance(1);
    expect(second.ended).toMatchObject([{ ended: 'failed', error: { reason: 'RUN_DEADLINE_EXCEEDED' } }]);
  });

  it('fails at once when the deadline has passed before it was dispatched', async () => {
    const gate = Promise.withResolvers<void>();
    const world = new RunWorld({
      script: [{ steps: [{ type: 'pause', until: gate.promise }] }],
      dispatch: { deadlineMs: Date.UTC(2025, 0, 1) },
    });
    const running = world.run();
    await world.time.advance(0);
    expect(await running).toMatchObject({ ended: 'failed', error: { reason: 'RUN_DEADLINE_EXCEEDED' } });
  });
});
