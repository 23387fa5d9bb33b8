import { describe, expect, it } from 'vitest';
import type { MemoryTool } from '../../tests/doubles/memory-tool-host.ts';
import { RunWorld } from '../../tests/doubles/run-world.ts';
import { toolOutcome } from '../domain/message/message.ts';
import { asksFor, says } from '../infrastructure/model-providers/scripted/script.ts';

const call = (tool: string) => ({ tool, argumentsJson: '{}' });
const read: MemoryTool = { name: 'read', effect: 'read-only', run: () => 'read it' };
const question: MemoryTool = {
  name: 'ask_user',
  effect: 'idempotent',
  toolClass: 'interaction',
  run: (_, { answer }) => answer ?? { asks: 'Shall I?' },
};

/** A first dispatch that was left in the middle of its calls, as when its executor died; its tools go on by themselves. */
async function leftBehind(tools: readonly MemoryTool[], asked: readonly string[]): Promise<RunWorld> {
  const world = new RunWorld({ script: [asksFor(...asked.map(call))], tools });
  const running = world.run();
  await world.journal.until('spanStart', 3);
  await world.time.advance(1_000);
  world.leave(0);
  expect(await running).toMatchObject({ ended: 'yielded', why: 'detached' });
  return world;
}

/** A tool that goes on until its gate is opened, the first time. */
function gated(effect: MemoryTool['effect']) {
  const gate = Promise.withResolvers<string>();
  let runs = 0;
  const run = () => (runs++ === 0 ? gate.promise : 'done again');
  return { gate, tool: { name: 'slow', effect, run } satisfies MemoryTool };
}

const results = ({ journal }: RunWorld) =>
  journal.said('toolResult').map(({ outcome, content }) => [outcome, content[0]?.content.value]);
const spans = ({ journal }: RunWorld) => journal.said('spanStart').map(({ name }) => name);

describe('a call that a lost dispatch left without result', () => {
  it('is waited for while it goes on, and its result is told once', async () => {
    const { gate, tool } = gated('non-repeatable');
    const first = await leftBehind([tool], ['slow']);
    const second = first.again({ script: [says('done')] });
    const running = second.run();
    await second.time.advance(100_000);
    expect(results(second)).toEqual([]);
    gate.resolve('done');
    await second.time.advance(1_000);
    expect(await running).toMatchObject({ ended: 'completed', finish: 'stop', usage: { inputTokens: 10n } });
    expect(results(second)).toEqual([[toolOutcome.ok, 'done']]);
    expect(spans(second)).toEqual(['turn 1 (resumed)', 'turn 2', 'chat test-model']);
    expect(second.journal.messages.map(({ role }) => role)).toEqual([4, 3]);
  });

  it('is taken from tool-host when it was done', async () => {
    const { gate, tool } = gated('non-repeatable');
    const first = await leftBehind([tool], ['slow']);
    gate.resolve('done');
    await first.leftExecutions.over();
    const second = first.again({ script: [says('done')] });
    expect(await second.run()).toMatchObject({ ended: 'completed' });
    expect(results(second)).toEqual([[toolOutcome.ok, 'done']]);
    expect(second.toolHost.log).toEqual(['begin slow', 'end slow', 'find slow']);
  });

  it.each([
    ['read-only', toolOutcome.ok, 'done again'],
    ['idempotent', toolOutcome.ok, 'done again'],
    ['non-repeatable', toolOutcome.unknown, expect.stringContaining('Whether it ran is not known')],
  ] as const)('whose executor died too is repeated only if it may be: %s', async (effect, outcome, text) => {
    const { tool } = gated(effect);
    const first = await leftBehind([tool], ['slow']);
    first.toolHost.crash();
    first.toolHost.isAway = false;
    const second = first.again({ script: [says('done')] });
    expect(await second.run()).toMatchObject({ ended: 'completed' });
    expect(results(second)).toEqual([[outcome, text]]);
  });

  it('is begun when it was not, in the order of the calls, and results in the log are not told again', async () => {
    const { gate, tool } = gated('idempotent');
    const first = await leftBehind([read, tool], ['read', 'slow', 'slow', 'nothing']);
    expect(results(first)).toEqual([[toolOutcome.ok, 'read it']]);
    gate.resolve('done');
    const second = first.again({ script: [says('done')] });
    expect(await second.run()).toMatchObject({ ended: 'completed' });
    expect(results(second)).toEqual([
      [toolOutcome.ok, 'done'],
      [toolOutcome.ok, 'done again'],
      [toolOutcome.error, 'There is no tool "nothing". The tools are: read, slow.'],
    ]);
    const [message] = second.journal.messages;
    expect(
      message?.parts.map(({ part }) => part.case === 'toolResult' && part.value.content[0]?.content.value),
    ).toEqual(['read it', 'done', 'done again', expect.any(String)]);
    expect(second.toolHost.executions.map(({ call: { tool: name } }) => name)).toEqual(['read', 'slow', 'slow']);
  });

  it('has its result committed when only that was missing', async () => {
    const first = new RunWorld({ script: [asksFor(call('slow')), says('done')], tools: [{ ...read, name: 'slow' }] });
    await first.run();
    const second = new RunWorld({
      script: [says('done')],
      history: [...first.history, ...first.journal.messages.slice(0, 1)],
      dispatch: { attempt: 2, epoch: 2n, results: first.journal.said('toolResult') },
    });
    expect(await second.start()).toMatchObject({ ended: 'completed' });
    expect(results(second)).toEqual([]);
    expect(second.toolHost.executions).toEqual([]);
    expect(second.journal.messages[0]?.parts).toEqual(first.journal.messages[1]?.parts);
  });

  it('gets a result that does not claim that it did not run when the run is cancelled first', async () => {
    const { tool } = gated('non-repeatable');
    const first = await leftBehind([tool], ['slow']);
    const second = first.again({ script: [] });
    const running = second.run();
    await second.journal.until('spanStart');
    second.cancel();
    expect(await running).toMatchObject({ ended: 'aborted' });
    expect(results(second)).toMatchObject([[toolOutcome.cancelled, expect.stringContaining('may have had effects')]]);
  });

  it('ends the dispatch when the run was taken over meanwhile', async () => {
    const { tool } = gated('non-repeatable');
    const first = await leftBehind([tool], ['slow']);
    const second = first.again({ script: [] });
    second.toolHost.fence = 3n;
    expect(await second.run()).toMatchObject({ ended: 'fenced' });
    expect(second.journal.cases).toEqual(['spanStart']);
  });
});

describe('a call that asks the user', () => {
  const waiting = async (...asked: readonly string[]) => {
    const world = new RunWorld({ script: [asksFor(...asked.map(call))], tools: [read, question] });
    expect(await world.run()).toMatchObject({ ended: 'yielded', why: 'waiting', usage: { inputTokens: 10n } });
    return world;
  };
  const interrupts = ({ journal }: RunWorld) => journal.said('interrupt').map(({ interrupt }) => interrupt);

  it('lets the others go on to their results, and then the run wait', async () => {
    const world = await waiting('ask_user', 'read', 'nothing');
    expect(world.journal.cases.slice(-5)).toEqual(['spanStart', 'spanEnd', 'toolResult', 'toolResult', 'spanEnd']);
    const [id] = world.journal.said('toolCallStart');
    expect(interrupts(world)).toEqual([
      { id: expect.any(String), kind: 1, callId: id?.callId, message: 'Shall I?', schemaJson: '' },
    ]);
    expect(world.journal.said('spanEnd').at(-1)).toMatchObject({ status: 1 });
    expect(world.journal.checkpoints).toHaveLength(1);
  });

  it('has the answer as its result in the next dispatch', async () => {
    const first = await waiting('read', 'ask_user');
    const [asked] = interrupts(first);
    const second = first.again({ script: [says('done')], answers: { [asked?.callId ?? '']: '"yes"' } });
    expect(await second.run()).toMatchObject({ ended: 'completed', finish: 'stop' });
    expect(results(second)).toEqual([[toolOutcome.ok, '"yes"']]);
    expect(interrupts(second)).toEqual([]);
    expect(second.toolHost.executions.at(-1)?.answer).toMatchObject({ interruptId: asked?.id, answerJson: '"yes"' });
    expect(second.journal.messages[0]?.parts).toHaveLength(2);
  });

  it('waits still, for the same interrupt, when another one was answered', async () => {
    const first = await waiting('ask_user', 'ask_user');
    const [one, two] = interrupts(first);
    const second = first.again({ script: [], answers: { [one?.callId ?? '']: '1' } });
    expect(await second.run()).toMatchObject({ ended: 'yielded', why: 'waiting' });
    expect(results(second)).toEqual([[toolOutcome.ok, '1']]);
    expect(interrupts(second)).toEqual([two]);
    const third = second.again({ script: [says('done')], answers: { [two?.callId ?? '']: '2' } });
    expect(await third.run()).toMatchObject({ ended: 'completed' });
    expect(
      third.journal.messages[0]?.parts.map(({ part }) => part.case === 'toolResult' && part.value.outcome),
    ).toEqual([toolOutcome.ok, toolOutcome.ok]);
  });

  it('may ask again, and the old answer is not taken for the new question', async () => {
    const twice: MemoryTool = {
      ...question,
      run: (_, { answer }) => (answer === '"sure"' ? 'yes' : { asks: answer === undefined ? 'Shall I?' : 'Really?' }),
    };
    const first = new RunWorld({ script: [asksFor(call('ask_user'))], tools: [twice] });
    await first.run();
    const callId = interrupts(first)[0]?.callId ?? '';
    const second = first.again({ script: [], answers: { [callId]: '"yes"' } });
    expect(await second.run()).toMatchObject({ ended: 'yielded', why: 'waiting' });
    expect(interrupts(second)).toMatchObject([{ message: 'Really?' }]);
    const old = { interruptId: interrupts(first)[0]?.id ?? '', callId, answerJson: '"sure"', expired: false };
    const told = second.again({ script: [], dispatch: { answers: [{ ...old, answeredBy: 'ann' }] } });
    expect(await told.run()).toMatchObject({ ended: 'yielded', why: 'waiting' });
    expect(told.toolHost.executions).toHaveLength(2);
    const third = told.again({ script: [says('done')], answers: { [callId]: '"sure"' } });
    expect(await third.run()).toMatchObject({ ended: 'completed' });
  });

  it('is not executed again when the answer was taken before the dispatch was lost', async () => {
    const first = await waiting('ask_user');
    const answers = { [interrupts(first)[0]?.callId ?? '']: '"yes"' };
    const lost = first.again({ script: [], answers });
    lost.journal.onSaid = (count) => void (count >= 3 && lost.leave(0));
    expect(await lost.run()).toMatchObject({ ended: 'yielded', why: 'detached' });
    await lost.leftExecutions.over();
    const third = lost.again({ script: [says('done')], answers });
    expect(await third.run()).toMatchObject({ ended: 'completed' });
    expect(third.toolHost.log.filter((line) => line === 'begin ask_user')).toHaveLength(2);
  });

  it('has a result that says so when the run is cancelled before the batch is done', async () => {
    const slow: MemoryTool = { name: 'slow', effect: 'non-repeatable', run: () => new Promise(() => undefined) };
    const world = new RunWorld({ script: [asksFor(call('ask_user'), call('slow'))], tools: [question, slow] });
    const running = world.run();
    await world.journal.until('spanStart', 4);
    world.cancel();
    expect(await running).toMatchObject({ ended: 'aborted' });
    expect(results(world)).toMatchObject([
      [toolOutcome.cancelled, 'The run was ended while this call waited for an answer.'],
      [toolOutcome.cancelled, expect.any(String)],
    ]);
  });

  it('counts its turn, and ends at the limit once it is answered', async () => {
    const first = new RunWorld({
      script: [asksFor(call('ask_user'))],
      tools: [question],
      dispatch: { maxTurns: 1 },
    });
    expect(await first.run()).toMatchObject({ ended: 'yielded', why: 'waiting' });
    const second = first.again({ script: [], answers: { [interrupts(first)[0]?.callId ?? '']: '"yes"' } });
    expect(await second.run()).toMatchObject({ ended: 'completed', finish: 'max-turns' });
  });
});
