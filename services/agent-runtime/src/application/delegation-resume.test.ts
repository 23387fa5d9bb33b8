import { describe, expect, it } from 'vitest';
import type { MemoryTool } from '../../tests/doubles/memory-tool-host.ts';
import {
  agentOf,
  delegate,
  delegates,
  delegating,
  delegatingWorld,
  helper,
  type Part,
  plays,
  readTool,
  taskOf,
} from '../../tests/doubles/played-agents.ts';
import type { RunWorld } from '../../tests/doubles/run-world.ts';
import { role, toolOutcome } from '../domain/message/message.ts';
import { spanStatus } from '../domain/run/run-event.ts';
import { asksFor, says, text } from '../infrastructure/model-providers/scripted/script.ts';

const call = (tool: string, argumentsJson = '{}') => ({ tool, argumentsJson });
const never = new Promise<never>(() => undefined);
const ask: MemoryTool = {
  name: 'ask_user',
  effect: 'idempotent',
  toolClass: 'interaction',
  run: ({ question }, { answer }) => answer ?? { asks: String(question) },
};
const askFor = (question: string) => call('ask_user', JSON.stringify({ question }));
const once: MemoryTool = { name: 'once', effect: 'non-repeatable', run: () => 'did it' };

const results = ({ journal }: RunWorld) =>
  journal.said('toolResult').map(({ outcome, content }) => [outcome, content[0]?.content.value]);
const askedOf = (world: RunWorld) =>
  world.dialogues?.requests.map((request) => `${agentOf(request)}: ${taskOf(request)}`);

/** The next dispatch of a run that is played like this. */
function again(world: RunWorld, parts: Readonly<Record<string, Part>>, answers: Readonly<Record<string, string>> = {}) {
  return world.again({ script: [], play: plays(parts), answers });
}

describe('a run that is cancelled while agents work for it', () => {
  it('closes their dialogues and its own, each with a result for every call', async () => {
    const slow: MemoryTool = { name: 'slow', effect: 'non-repeatable', run: () => never };
    const hanging = { steps: [...text('Hel'), { type: 'pause', until: never } as const] };
    const world = delegatingWorld(
      {
        default: [delegates('calls', 'talks')],
        helper: (task) => [task === 'calls' ? asksFor(call('slow')) : hanging],
      },
      { tools: [slow], agent: delegating(['helper'], { maxParallel: 2 }) },
    );
    const running = world.run();
    await world.time.advance(1_000);
    world.cancel();
    expect(await running).toMatchObject({ ended: 'aborted' });
    expect(results(world).map(([outcome]) => outcome)).toEqual([
      toolOutcome.cancelled,
      toolOutcome.cancelled,
      toolOutcome.cancelled,
    ]);
    expect(world.journal.said('messageAbandoned')).toHaveLength(1);
    const statuses = world.journal.said('spanEnd').map(({ status }) => status);
    // All but the two model calls that were done.
    expect(statuses.filter((status) => status === spanStatus.cancelled)).toHaveLength(statuses.length - 2);
    expect(world.toolHost.log).toEqual(['begin slow', 'stop slow']);
  });

  it('stops when the ack of an agent’s message says so', async () => {
    const world = delegatingWorld(
      { default: [delegates('a')], helper: [asksFor(call('read'))] },
      { acknowledge: (index) => ({ cancelRequested: index >= 3 }) },
    );
    expect(await world.run()).toMatchObject({ ended: 'aborted' });
    expect(world.toolHost.log).toEqual([]);
    expect(results(world).map(([outcome]) => outcome)).toEqual([toolOutcome.notStarted, toolOutcome.cancelled]);
  });

  it('fails when its time is up, with the agents that work for it', async () => {
    const slow: MemoryTool = { name: 'slow', effect: 'idempotent', run: () => never };
    const world = delegatingWorld({ default: [delegates('a')], helper: [asksFor(call('slow'))] }, { tools: [slow] });
    const running = world.run();
    await world.time.advance(600_000);
    expect(await running).toMatchObject({ ended: 'failed', error: { reason: 'RUN_DEADLINE_EXCEEDED' } });
    expect(results(world).map(([outcome]) => outcome)).toEqual([toolOutcome.cancelled, toolOutcome.cancelled]);
  });
});

it('says nothing more when another dispatch takes the run over in the middle of a delegated task', async () => {
  const world = delegatingWorld({ default: [delegates('a')], helper: [asksFor(call('write'))] });
  world.toolHost.fence = 2n;
  expect(await world.run()).toMatchObject({ ended: 'fenced' });
  expect(results(world)).toEqual([]);
  expect(world.journal.cases.at(-1)).toBe('message');
});

describe('agents that ask the user', () => {
  const parts: Readonly<Record<string, Part>> = {
    default: [asksFor(delegate('helper', 'one'), delegate('helper', 'two'), delegate('helper', 'reads')), says('done')],
    helper: (task) =>
      task === 'reads' ? [asksFor(call('read')), says('read')] : [asksFor(askFor(`${task}?`)), says(`got ${task}`)],
  };
  const tools = [readTool, ask];
  const waiting = async () => {
    const world = delegatingWorld(parts, { tools });
    expect(await world.run()).toMatchObject({ ended: 'yielded', why: 'waiting' });
    return world;
  };

  it('let the run wait once all others are done', async () => {
    const world = await waiting();
    expect(world.journal.said('interrupt').map(({ interrupt }) => interrupt.message)).toEqual(['one?', 'two?']);
    const inner = world.journal.events.flatMap(({ data, threadId }) => (data.case === 'interrupt' ? [threadId] : []));
    const outer = world.journal.said('toolCallStart').slice(0, 2);
    expect(inner).toEqual(outer.map(({ callId }) => callId));
    expect(results(world)).toEqual([
      [toolOutcome.ok, 'read it'],
      [toolOutcome.ok, 'read'],
    ]);
  });

  it('go on with their answers, each with its own, and nothing is asked or done again', async () => {
    const world = await waiting();
    const [one, two] = world.journal.said('interrupt').map(({ interrupt }) => interrupt.callId);
    const next = again(world, parts, { [one ?? '']: '"yes"', [two ?? '']: '"no"' });
    expect(await next.run()).toMatchObject({ ended: 'completed', finish: 'stop' });
    expect(results(next).map(([outcome]) => outcome)).toEqual([1, 1, 1, 1]);
    expect(new Set(results(next).map(([, shown]) => shown))).toEqual(new Set(['"yes"', '"no"', 'got one', 'got two']));
    expect(askedOf(next)).toEqual(['helper: one', 'helper: two', 'default: hello']);
    expect(next.toolHost.log.filter((line) => line === 'begin read')).toHaveLength(1);
  });

  it('wait on when only another one was answered', async () => {
    const world = await waiting();
    const [one] = world.journal.said('interrupt').map(({ interrupt }) => interrupt.callId);
    const next = again(world, parts, { [one ?? '']: '"yes"' });
    expect(await next.run()).toMatchObject({ ended: 'yielded', why: 'waiting' });
    expect(next.journal.said('interrupt').map(({ interrupt }) => interrupt.message)).toEqual(['two?']);
    expect(askedOf(next)).toEqual(['helper: one']);
  });

  it('are told when nobody is there to be asked', async () => {
    const asking: Part = [asksFor(askFor('Well?')), says('so be it')];
    const world = delegatingWorld(
      { default: [delegates('a'), says('done')], helper: asking },
      { tools, dispatch: { interactive: false } },
    );
    expect(await world.run()).toMatchObject({ ended: 'completed' });
    expect(results(world)[0]).toEqual([toolOutcome.error, expect.stringContaining('There is no tool "ask_user"')]);
  });
});

describe('a run that is asked to leave while agents work for it', () => {
  const parts: Readonly<Record<string, Part>> = {
    default: [asksFor(delegate('helper', 'a'), call('once')), says('done')],
    helper: [asksFor(call('once')), asksFor(call('read')), says('helped')],
  };
  const agents = [helper];

  it('lets each finish its turn, begins nothing that comes after them, and goes on there', async () => {
    const gate = Promise.withResolvers<string>();
    const tools: MemoryTool[] = [readTool, { ...once, run: () => gate.promise }];
    const world = delegatingWorld(parts, { agents, tools, agent: delegating(['helper']) });
    const running = world.run();
    await world.time.advance(1_000);
    world.leave(10_000);
    gate.resolve('did it');
    await world.time.advance(1_000);
    expect(await running).toMatchObject({ ended: 'yielded', why: 'detached' });
    expect(results(world)).toEqual([[toolOutcome.ok, 'did it']]);
    const next = again(world, parts);
    expect(await next.run()).toMatchObject({ ended: 'completed' });
    expect(results(next)).toEqual([
      [toolOutcome.ok, 'read it'],
      [toolOutcome.ok, 'helped'],
      [toolOutcome.ok, 'did it'],
    ]);
    expect(askedOf(next)).toEqual(['helper: a', 'helper: a', 'default: hello']);
    expect(next.toolHost.log.filter((line) => line === 'begin once')).toHaveLength(2);
  });

  it('begins no further task', async () => {
    const gate = Promise.withResolvers<string>();
    const two = { default: [delegates('a', 'b'), says('done')], helper: [asksFor(call('once')), says('helped')] };
    const agent = delegating(['helper'], { maxParallel: 1 });
    const world = delegatingWorld(two, { agents, tools: [{ ...once, run: () => gate.promise }], agent });
    const running = world.run();
    await world.time.advance(1_000);
    world.leave(10_000);
    gate.resolve('did it');
    await world.time.advance(1_000);
    expect(await running).toMatchObject({ ended: 'yielded', why: 'detached' });
    const [a, b] = world.journal.said('toolCallStart').map(({ callId }) => world.storedThread(callId).length);
    expect([a, b]).toEqual([3, 0]);
    const next = again(world, two);
    expect(await next.run()).toMatchObject({ ended: 'completed' });
    expect(askedOf(next)).toEqual(['helper: a', 'helper: b', 'helper: b', 'default: hello']);
  });

  it('leaves a call of theirs to tool-host when its time is over, and takes its result in the next dispatch', async () => {
    const gate = Promise.withResolvers<string>();
    let runs = 0;
    const tools: MemoryTool[] = [readTool, { ...once, run: () => (runs++ === 0 ? gate.promise : 'did it too') }];
    const world = delegatingWorld(parts, { agents, tools, agent: delegating(['helper']) });
    const running = world.run();
    await world.time.advance(1_000);
    world.leave(0);
    expect(await running).toMatchObject({ ended: 'yielded', why: 'detached' });
    const next = again(world, parts);
    const going = next.run();
    await next.time.advance(1_000);
    gate.resolve('did it');
    await next.time.advance(1_000);
    expect(await going).toMatchObject({ ended: 'completed' });
    expect(results(next).map(([, shown]) => shown)).toEqual(['did it', 'read it', 'helped', 'did it too']);
  });
});

describe('a delegated task of a dispatch that was lost', () => {
  const helping: Part = [asksFor(call('read')), says('helped')];
  const parts: Readonly<Record<string, Part>> = { default: [delegates('a'), says('done')], helper: helping };

  /** A first dispatch whose driver is lost right after so many checkpoints. */
  const lostAfter = async (checkpoints: number) => {
    const world = delegatingWorld(parts);
    const running = world.run();
    void world.journal.untilCheckpoint(checkpoints).then(() => world.loseDriver());
    await running;
    return world;
  };

  it('is not worked on again when its dialogue ends with an answer', async () => {
    // Call; task; the agent's call; its result; the agent's answer.
    const world = await lostAfter(5);
    expect(world.storedThread(world.journal.said('toolCallStart')[0]?.callId ?? '')).toHaveLength(4);
    expect(results(world)).toEqual([[toolOutcome.ok, 'read it']]);
    const next = again(world, parts);
    expect(await next.run()).toMatchObject({ ended: 'completed' });
    expect(askedOf(next)).toEqual(['default: hello']);
    expect(results(next)).toEqual([[toolOutcome.ok, 'helped']]);
    expect(next.journal.messages.map((message) => message.role)).toEqual([role.tool, role.assistant]);
  });

  it('goes on where its dialogue ends, and begins with its task only once', async () => {
    for (const [checkpoints, asked] of [
      [1, 2],
      [2, 2],
      [3, 1],
      [4, 1],
    ] as const) {
      const next = again(await lostAfter(checkpoints), parts);
      expect(await next.run()).toMatchObject({ ended: 'completed' });
      expect(askedOf(next)).toEqual([...Array.from({ length: asked }, () => 'helper: a'), 'default: hello']);
      const [delegated] = next.dispatches.flatMap(({ journal }) =>
        journal.events.flatMap(({ data }) => (data.case === 'toolCallStart' ? [data.value.callId] : [])),
      );
      const thread = next.storedThread(delegated ?? '').map((message) => message.role);
      expect(thread).toEqual([role.user, role.assistant, role.tool, role.assistant]);
    }
  });

  it('counts the turns of its agent that were taken before', async () => {
    const agents = [{ ...helper, limits: { maxTurns: 2, timeoutMs: 1, maxOutputTokens: 9 } }];
    const reading: Part = [1, 2, 3].map((n) => asksFor(call('read', `{"n":${n}}`)));
    const played = { default: [delegates('a'), says('done')], helper: reading };
    const world = delegatingWorld(played, { agents, agent: delegating(['helper']) });
    const running = world.run();
    void world.journal.untilCheckpoint(3).then(() => world.loseDriver());
    await running;
    const next = again(world, played);
    expect(await next.run()).toMatchObject({ ended: 'completed' });
    expect(askedOf(next)).toEqual(['helper: a', 'default: hello']);
    expect(results(next).at(-1)).toEqual([toolOutcome.error, expect.stringContaining('ran out of turns')]);
  });
});
