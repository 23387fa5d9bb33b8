import { describe, expect, it } from 'vitest';
import type { MemoryTool } from '../../tests/doubles/memory-tool-host.ts';
import {
  agentOf,
  delegate,
  delegates,
  delegating,
  helper,
  type Part,
  delegatingWorld as worldOf,
} from '../../tests/doubles/played-agents.ts';
import { type RunWorld, rootSpan } from '../../tests/doubles/run-world.ts';
import { settled } from '../../tests/doubles/virtual-time.ts';
import { maxAnswerBytes } from '../domain/delegation/delegate-result.ts';
import { role, toolOutcome } from '../domain/message/message.ts';
import { modelRejected } from '../domain/model/model-errors.ts';
import { spanStatus } from '../domain/run/run-event.ts';
import { asksFor, finish, says, text } from '../infrastructure/model-providers/scripted/script.ts';

const call = (tool: string) => ({ tool, argumentsJson: '{}' });

const results = ({ journal }: RunWorld) =>
  journal.said('toolResult').map(({ outcome, content }) => [outcome, content[0]?.content.value]);
const callIds = ({ journal }: RunWorld) => journal.said('toolCallStart').map(({ callId }) => callId);

describe('a delegated task', () => {
  it('is worked on by its agent in a dialogue of its own, whose last text is the result', async () => {
    const world = worldOf({
      default: [asksFor(delegate('helper', 'Look.', 'It is in /a.')), says('It is there.')],
      helper: [asksFor(call('read')), says('I have ', 'found it.')],
    });
    const outcome = await world.run();
    expect(outcome).toMatchObject({ ended: 'completed', finish: 'stop' });
    expect([outcome.usage.inputTokens, outcome.usage.outputTokens]).toEqual([40n, 20n]);
    expect(results(world)).toEqual([
      [toolOutcome.ok, 'read it'],
      [toolOutcome.ok, 'I have found it.'],
    ]);
    const [delegated = ''] = callIds(world);
    expect(world.journal.messages.map((message) => message.role)).toEqual([role.assistant, role.tool, role.assistant]);
    const thread = world.journal.thread(delegated);
    expect(thread.map((message) => message.role)).toEqual([role.user, role.assistant, role.tool, role.assistant]);
    expect(thread[0]?.parts).toEqual([{ part: { case: 'text', value: { text: 'Look.\n\nContext:\nIt is in /a.' } } }]);
    const asked = world.dialogues?.requests ?? [];
    expect(asked.map((request) => [agentOf(request), request.tools.map(({ name }) => name)])).toEqual([
      ['default', ['delegate', 'read', 'write']],
      ['helper', ['read', 'write']],
      ['helper', ['read', 'write']],
      ['default', ['delegate', 'read', 'write']],
    ]);
  });

  it('tells everything that its agent says under its thread, in spans below that of its call', async () => {
    const world = worldOf({
      default: [delegates('Look.'), says('done')],
      helper: [asksFor(call('read')), says('found')],
    });
    await world.run();
    const [delegated] = callIds(world);
    const { events } = world.journal;
    const starts = events.flatMap(({ span, threadId, data }) =>
      data.case === 'spanStart' ? [{ span, threadId, name: data.value.name }] : [],
    );
    const nameOf = (id: string) =>
      starts.find(({ span }) => span.id === id)?.name ?? (id === rootSpan.span.id && 'run');
    expect(starts.map(({ name, span, threadId }) => [name, nameOf(span.par), threadId])).toEqual([
      ['turn 1', 'run', undefined],
      ['chat test-model', 'turn 1', undefined],
      ['execute_tool delegate', 'turn 1', undefined],
      ['turn 1', 'execute_tool delegate', delegated],
      ['chat test-model', 'turn 1', delegated],
      ['execute_tool read', 'turn 1', delegated],
      ['turn 2', 'execute_tool delegate', delegated],
      ['chat test-model', 'turn 2', delegated],
      ['turn 2', 'run', undefined],
      ['chat test-model', 'turn 2', undefined],
    ]);
    const deltas = events.flatMap(({ data, threadId }) =>
      data.case === 'textDelta' ? [[data.value.text, threadId]] : [],
    );
    expect(deltas).toEqual([
      ['found', delegated],
      ['done', undefined],
    ]);
    const attributes = world.journal.said('spanStart')[2]?.attributes;
    expect(attributes).toEqual({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'delegate',
      'gen_ai.tool.call.id': delegated,
    });
  });

  it('is worked on beside others of its message, as many as its agent may have', async () => {
    let working = 0;
    let most = 0;
    const slow: MemoryTool = {
      name: 'slow',
      effect: 'non-repeatable',
      async run() {
        working += 1;
        most = Math.max(most, working);
        await settled();
        working -= 1;
        return 'done';
      },
    };
    const tasks = Array.from({ length: 7 }, (_, n) => `task ${n}`);
    const parts = {
      default: [delegates(...tasks), says('done')],
      helper: (task: string) => [asksFor(call('slow')), says(task)],
    };
    const agent = delegating(['helper'], { maxParallel: 3 });
    const limits = { maxTurns: 100, timeoutMs: 1000, maxOutputTokens: 9 };
    const world = worldOf(parts, { tools: [slow], agent: { ...agent, limits } });
    expect(await world.run()).toMatchObject({ ended: 'completed' });
    expect(most).toBe(3);
    const [, answered] = world.journal.messages;
    const shown = answered?.parts.map(({ part }) => part.case === 'toolResult' && part.value.content[0]?.content.value);
    expect(shown).toEqual(tasks);
  });

  it('comes after the calls before it and before those after it, unless they are delegated too', async () => {
    const log: string[] = [];
    const note = (name: string): MemoryTool => ({ name, effect: 'idempotent', run: () => (log.push(name), name) });
    const asked = asksFor(call('before'), delegate('helper', 'a'), delegate('helper', 'b'), call('after'));
    const world = worldOf(
      { default: [asked, says('done')], helper: [asksFor(call('within')), says('ok')] },
      { tools: ['before', 'within', 'after'].map(note) },
    );
    await world.run();
    expect(log).toEqual(['before', 'within', 'within', 'after']);
  });

  it('may be delegated on, but not deeper than the run allows', async () => {
    const deep: Part = [delegates('deeper'), says('done')];
    const world = worldOf(
      { default: deep, helper: deep },
      {
        agent: delegating(['helper'], { maxDepth: 2 }),
        agents: [{ ...helper, ...delegating(['helper'], { maxDepth: 9 }) }],
      },
    );
    expect(await world.run()).toMatchObject({ ended: 'completed' });
    expect(results(world)).toEqual([
      [toolOutcome.error, 'There is no tool "delegate". The tools are: read, write.'],
      [toolOutcome.ok, 'done'],
      [toolOutcome.ok, 'done'],
    ]);
    const offered = world.dialogues?.requests.map(({ tools }) => tools.some(({ name }) => name === 'delegate'));
    expect(offered).toEqual([true, true, false, false, true, true]);
  });
});

describe('a delegated task that can not be done', () => {
  const agents = 'there are only: helper, other.';
  it.each([
    ['for an agent that there is not', '{"agent":"nobody","task":"x"}', `agent is "nobody", and ${agents}`],
    ['for no agent', '{"task":"x"}', `agent must be a string: ${agents}`],
    ['without a task', '{"agent":"helper","task":" "}', 'task must be a string that says what is to be done.'],
    ['with a context that is none', '{"agent":"helper","task":"x","context":1}', 'context must be a string.'],
    ['with something else', '{"agent":"helper","task":"x","how":1}', expect.stringContaining('"how" is no argument.')],
    ['with arguments that are no object', '[]', expect.stringContaining('The arguments are no JSON object.')],
    ['with arguments that are no JSON', '{"agent":', expect.stringContaining('The arguments are no JSON object.')],
  ])('%s is an answer to the model', async (_, argumentsJson, problem) => {
    const world = worldOf({ default: [asksFor({ tool: 'delegate', argumentsJson }), says('well')] });
    expect(await world.run()).toMatchObject({ ended: 'completed' });
    expect(results(world)).toEqual([
      [toolOutcome.error, typeof problem === 'string' ? `INVALID_FIELD: ${problem}` : problem],
    ]);
  });

  it('because the model of its agent fails says so, with what the agent had so far, and the run goes on', async () => {
    const failing = { steps: [{ type: 'fail', error: modelRejected('no such model') } as const] };
    const looking = { steps: [...text('I look first.'), ...asksFor(call('read')).steps] };
    const world = worldOf({ default: [delegates('Look.'), says('a pity')], helper: [looking, failing] });
    expect(await world.run()).toMatchObject({ ended: 'completed', finish: 'stop' });
    expect(results(world).at(-1)).toEqual([
      toolOutcome.error,
      expect.stringMatching(
        /^The agent failed\. MODEL_REJECTED: .*no such model.* What it said last:\n\nI look first\.$/s,
      ),
    ]);
    expect(world.failedDelegates).toEqual(['helper: MODEL_REJECTED']);
    const ends = world.journal.said('spanEnd').filter(({ status }) => status === spanStatus.error);
    expect(ends.map(({ errorType }) => errorType)).toEqual(['MODEL_REJECTED', 'MODEL_REJECTED', 'MODEL_REJECTED']);
  });

  it('before its agent runs out of turns has what it had so far', async () => {
    const agents = [{ ...helper, limits: { maxTurns: 1, timeoutMs: 1, maxOutputTokens: 9 } }];
    const world = worldOf(
      { default: [delegates('Look.'), says('well')], helper: [asksFor(call('read'))] },
      { agents, agent: delegating(['helper']) },
    );
    await world.run();
    expect(results(world).at(-1)).toEqual([
      toolOutcome.error,
      'The agent ran out of turns before it was done. It had said nothing yet.',
    ]);
  });

  it.each([
    ['length', "The agent's answer was cut at its token limit. What it said last:\n\nso f"],
    ['content-filter', "The provider's content filter ended the agent's answer. What it said last:\n\nso f"],
  ] as const)('because its answer ended with %s has what there is of it', async (reason, shown) => {
    const cut = { steps: [...text('so f'), ...finish(reason)] };
    const world = worldOf({ default: [delegates('Look.'), says('well')], helper: [cut] });
    await world.run();
    expect(results(world)).toEqual([[toolOutcome.error, shown]]);
  });
});

it('shows the model the beginning of an answer that is too long, cut between characters', async () => {
  const long = `a${'ä'.repeat(maxAnswerBytes)}`;
  const world = worldOf({ default: [delegates('Look.'), says('well')], helper: [says(long)] });
  await world.run();
  const [[, shown = ''] = []] = results(world);
  const kept = `a${'ä'.repeat(maxAnswerBytes / 2 - 1)}`;
  const bytes = maxAnswerBytes * 2 + 1;
  expect(shown).toBe(`${kept}\n[The answer is cut here: ${maxAnswerBytes - 1} of ${bytes} bytes are shown.]`);
});
