import { noPolicy } from '@spanwise/tool-kit/contract';
import { describe, expect, it } from 'vitest';
import { RunWorld, rootSpan, runId, userMessage } from '../../tests/doubles/run-world.ts';
import { type Message, role, toolOutcome } from '../domain/message/message.ts';
import { asksFor, calls, finish, reasoning, says, text } from '../infrastructure/model-providers/scripted/script.ts';

const read = { name: 'read', effect: 'read-only', run: () => 'read it' } as const;
const write = { name: 'write', effect: 'idempotent', run: () => 'wrote it' } as const;

describe('a run', () => {
  it('streams an answer and ends when the model asks for no tools', async () => {
    const world = new RunWorld({ script: [says('Hel', 'lo!')] });
    const outcome = await world.run();
    expect(outcome).toEqual({
      ended: 'completed',
      finish: 'stop',
      usage: {
        provider: '',
        model: '',
        inputTokens: 10n,
        outputTokens: 5n,
        cachedInputTokens: 0n,
        reasoningTokens: 0n,
        estimated: false,
      },
    });
    expect(world.journal.cases).toEqual([
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
    expect(world.journal.checkpoints.map(({ events }) => events.map(({ data }) => data.case))).toEqual([
      ['textEnd', 'usage', 'spanEnd', 'message', 'spanEnd'],
    ]);
    expect(world.openedViews).toEqual([runId]);
  });

  it('stores what it streamed as one assistant message under the id of its blocks', async () => {
    const world = new RunWorld({ script: [{ steps: [...reasoning('hm'), ...text('yes'), ...finish('stop')] }] });
    await world.run();
    const [start] = world.journal.said('textStart');
    expect(world.journal.messages).toEqual([
      {
        id: start?.messageId,
        role: role.assistant,
        runId,
        parts: [
          { part: { case: 'reasoning', value: { text: 'hm', providerState: new Uint8Array() } } },
          { part: { case: 'text', value: { text: 'yes' } } },
        ],
      },
    ]);
  });

  it('opens a turn span under the root and a chat span under the turn, with GenAI attributes', async () => {
    const world = new RunWorld({ script: [says('hi')] });
    await world.run();
    const [turn, chat] = world.journal.events.filter(({ data }) => data.case === 'spanStart');
    expect(turn?.span.par).toBe(rootSpan.span.id);
    expect(chat?.span.par).toBe(turn?.span.id);
    expect(
      world.journal.said('spanStart').map(({ name, kind, service, traceId }) => [name, kind, service, traceId]),
    ).toEqual([
      ['turn 1', 2, 'agent-runtime', rootSpan.traceId],
      ['chat test-model', 3, 'agent-runtime', rootSpan.traceId],
    ]);
    expect(world.journal.said('spanStart')[1]?.attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'scripted',
      'gen_ai.request.model': 'test-model',
      'gen_ai.conversation.id': '00000000-0000-7000-8000-0000000000cc',
    });
    expect(world.journal.said('spanEnd')[0]).toEqual({
      status: 1,
      errorType: '',
      attributes: {
        'gen_ai.usage.input_tokens': '10',
        'gen_ai.usage.output_tokens': '5',
        'gen_ai.response.finish_reasons': 'stop',
      },
    });
  });

  it('has the time on every event but deltas', async () => {
    const world = new RunWorld({ script: [asksFor({ tool: 'read', argumentsJson: '{}' }), says('hi')], tools: [read] });
    await world.run();
    const deltas = ['textDelta', 'reasoningDelta', 'toolCallDelta'];
    const timeless = world.journal.events.filter(({ time }) => time === undefined).map(({ data }) => data.case);
    expect(timeless).toEqual(world.journal.cases.filter((name) => deltas.includes(name)));
  });

  it('executes what the model asks for, shows it the results, and goes on', async () => {
    const world = new RunWorld({
      script: [asksFor({ tool: 'read', argumentsJson: ['{"path":', '"/a"}'] }), says('done')],
      tools: [read],
    });
    expect(await world.run()).toMatchObject({ ended: 'completed', finish: 'stop', usage: { inputTokens: 20n } });
    const [asked, results, answer] = world.journal.messages;
    const [call] = world.journal.said('toolCallStart');
    expect(asked?.parts).toEqual([
      { part: { case: 'toolCall', value: { callId: call?.callId, tool: 'read', argumentsJson: '{"path":"/a"}' } } },
    ]);
    const value = {
      callId: call?.callId,
      outcome: toolOutcome.ok,
      content: [{ content: { case: 'text', value: 'read it' } }],
      structuredJson: '',
      code: '',
    };
    expect(results).toMatchObject({ role: role.tool, parts: [{ part: { case: 'toolResult', value } }] });
    expect(answer?.role).toBe(role.assistant);
    expect(world.model.requests[1]?.messages).toEqual([...world.history, asked, results]);
    expect(world.journal.checkpoints).toHaveLength(3);
  });

  it('executes nothing before its message is committed', async () => {
    const ack = Promise.withResolvers<{ cancelRequested: boolean }>();
    const world = new RunWorld({
      script: [asksFor({ tool: 'read', argumentsJson: '{}' }), says('done')],
      tools: [read],
      acknowledge: (index) => (index === 1 ? ack.promise : { cancelRequested: false }),
    });
    const running = world.run();
    await world.journal.untilCheckpoint(1);
    expect(world.toolHost.log).toEqual([]);
    ack.resolve({ cancelRequested: false });
    await running;
    expect(world.toolHost.log).toEqual(['begin read', 'end read']);
  });

  it('ends at the smaller of its own and the agent’s turn limit, after the calls of the last turn were answered', async () => {
    const ask = asksFor({ tool: 'read', argumentsJson: '{}' });
    const world = new RunWorld({ script: [ask, ask, ask], tools: [read], dispatch: { maxTurns: 2 } });
    expect(await world.run()).toMatchObject({ ended: 'completed', finish: 'max-turns' });
    expect(world.model.remaining).toBe(1);
    expect(world.journal.messages.map((message) => message.role)).toEqual([3, 4, 3, 4]);
  });

  it('never takes more turns than the agent allows', async () => {
    const ask = asksFor({ tool: 'read', argumentsJson: '{}' });
    const limits = { maxTurns: 1, timeoutMs: 1000, maxOutputTokens: 10 };
    const world = new RunWorld({ script: [ask, ask], tools: [read], dispatch: { maxTurns: 5 }, agent: { limits } });
    expect(await world.run()).toMatchObject({ finish: 'max-turns' });
    expect(world.model.remaining).toBe(1);
  });

  it.each([
    ['length', 'length'],
    ['content-filter', 'content-filter'],
  ] as const)('ends with %s when the model stopped for that', async (reason, expected) => {
    const world = new RunWorld({ script: [{ steps: [...text('half an ans'), ...finish(reason)] }] });
    expect(await world.run()).toMatchObject({ ended: 'completed', finish: expected });
    expect(world.journal.messages).toHaveLength(1);
  });

  it('ends without a message when the model says nothing', async () => {
    const world = new RunWorld({ script: [{ steps: finish('stop') }] });
    expect(await world.run()).toMatchObject({ ended: 'completed', finish: 'stop' });
    expect(world.journal.checkpoints).toEqual([]);
    expect(world.journal.cases).toEqual(['spanStart', 'spanStart', 'usage', 'spanEnd', 'spanEnd']);
  });

  it('abandons a message in which nothing was said', async () => {
    const world = new RunWorld({
      script: [{ steps: [{ type: 'text-start' }, { type: 'text-end' }, ...finish('stop')] }],
    });
    expect(await world.run()).toMatchObject({ ended: 'completed' });
    expect(world.journal.said('messageAbandoned')).toHaveLength(1);
  });

  it('does not begin calls of an answer that the provider’s filter ended', async () => {
    const steps = [...calls({ tool: 'write', argumentsJson: '{}' }), ...finish('content-filter')];
    const world = new RunWorld({ script: [{ steps }], tools: [write] });
    expect(await world.run()).toMatchObject({ finish: 'content-filter' });
    expect(world.toolHost.executions).toEqual([]);
    expect(world.journal.said('toolResult').map(({ outcome }) => outcome)).toEqual([toolOutcome.notStarted]);
  });

  it('gives the model its instructions, the tools that it may use by name, and the limit of its answer', async () => {
    const tool = (name: string) => ({ ...read, name });
    const world = new RunWorld({
      script: [says('hi')],
      tools: [tool('d'), tool('b'), tool('a'), tool('c')],
      agent: { tools: { allow: 'all', deny: ['c'], policy: noPolicy } },
      dispatch: { toolsAllow: ['a', 'b', 'c'], toolsDeny: ['a'] },
    });
    await world.run();
    expect(world.model.requests).toMatchObject([
      {
        model: 'test-model',
        instructions: 'You are default. Today is 2026-01-01.',
        tools: [{ name: 'b' }],
        maxOutputTokens: 1000,
      },
    ]);
  });

  it('uses the model that the run names', async () => {
    const world = new RunWorld({ script: [says('hi')], dispatch: { model: 'scripted:other' } });
    await world.run();
    expect(world.model.requests[0]?.model).toBe('other');
  });

  it('throws AGENT_NOT_FOUND before it says anything', async () => {
    const world = new RunWorld({ script: [], dispatch: { agent: 'nobody' } });
    await expect(world.start()).rejects.toMatchObject({ kind: 'not-found', reason: 'AGENT_NOT_FOUND' });
    expect(world.journal.events).toEqual([]);
  });

  it('fails with CONTEXT_INVALID instead of asking a model with a broken context', async () => {
    const world = new RunWorld({ script: [says('hi')], history: [userMessage('')] });
    expect(await world.start()).toMatchObject({ ended: 'failed', error: { reason: 'CONTEXT_INVALID' } });
    expect(world.model.requests).toEqual([]);
  });

  it('fails with a bug’s error without telling what it was', async () => {
    const world = new RunWorld({ script: [says('hi')], acknowledge: () => Promise.reject(new TypeError('secret')) });
    expect(await world.run()).toMatchObject({
      ended: 'failed',
      error: { reason: 'INTERNAL', message: 'Internal error.' },
    });
  });
});

describe('a run that is dispatched again', () => {
  const ask: Message = {
    id: '00000000-0000-7000-8000-0000000000dd',
    role: role.assistant,
    runId,
    parts: [{ part: { case: 'toolCall', value: { callId: 'lost', tool: 'write', argumentsJson: '{}' } } }],
  };

  it('answers the calls that another run left behind as unknown, because tool-host does not know them', async () => {
    const left = { ...ask, runId: '00000000-0000-7000-8000-0000000000ab' };
    const world = new RunWorld({ script: [says('done')], tools: [write], history: [userMessage('hello'), left] });
    expect(await world.run()).toMatchObject({ ended: 'completed', finish: 'stop' });
    expect(world.journal.said('toolResult')).toMatchObject([{ callId: 'lost', outcome: toolOutcome.unknown }]);
    expect(world.journal.messages.map((message) => message.role)).toEqual([role.tool, role.assistant]);
    expect(world.toolHost.log).toEqual([]);
  });

  it('counts the turns that were taken before', async () => {
    const world = new RunWorld({
      script: [says('done')],
      tools: [write],
      history: [userMessage('hello'), ask],
      dispatch: { maxTurns: 1 },
    });
    expect(await world.start()).toMatchObject({ ended: 'completed', finish: 'max-turns' });
    expect(world.model.requests).toEqual([]);
  });

  it('is over when its answer is there already', async () => {
    const answer: Message = { ...ask, parts: [{ part: { case: 'text', value: { text: 'done' } } }] };
    const world = new RunWorld({ script: [], history: [userMessage('hello'), answer] });
    expect(await world.run()).toMatchObject({ ended: 'completed', finish: 'stop' });
    expect(world.journal.events).toEqual([]);
  });
});
