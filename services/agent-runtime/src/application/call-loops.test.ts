import { expect, it } from 'vitest';
import type { MemoryTool } from '../../tests/doubles/memory-tool-host.ts';
import { RunWorld } from '../../tests/doubles/run-world.ts';
import { toolOutcome } from '../domain/message/message.ts';
import { asksFor, says } from '../infrastructure/model-providers/scripted/script.ts';

const write: MemoryTool = { name: 'write', effect: 'idempotent', run: () => 'wrote it' };
const asked = { tool: 'write', argumentsJson: '{"a":1,"b":2}' };
const otherwise = { tool: 'write', argumentsJson: '{ "b":2, "a":1 }' };

const answers = ({ journal }: RunWorld) =>
  journal.said('toolResult').map(({ outcome, code, content }) => [outcome, code, content[0]?.content.value ?? '']);
const ok = [toolOutcome.ok, '', 'wrote it'];
const refused = [
  toolOutcome.error,
  'LOOP_DETECTED',
  'This is the same call of write with the same arguments for the third time in a row, so it was not executed. Do ' +
    'something else: use the result that you have, change the arguments, or say what stops you.',
];

it('answers the third call of the same kind with what the model should do, and goes on', async () => {
  const script = [asksFor(asked), asksFor(otherwise), asksFor(asked), asksFor(asked), says('done')];
  const world = new RunWorld({ script, tools: [write] });
  expect(await world.run()).toMatchObject({ ended: 'completed', finish: 'stop' });
  expect(answers(world)).toEqual([ok, ok, refused, refused]);
  expect(world.toolHost.executions).toHaveLength(2);
});

it('does so within one message', async () => {
  const world = new RunWorld({ script: [asksFor(asked, otherwise, asked), says('done')], tools: [write] });
  await world.run();
  expect(answers(world)).toEqual([ok, ok, refused]);
});

it('lets a call be repeated as long as its results differ', async () => {
  let count = 0;
  const poll: MemoryTool = { name: 'poll', effect: 'read-only', run: () => `${++count} done` };
  const ask = asksFor({ tool: 'poll', argumentsJson: '{}' });
  const world = new RunWorld({ script: [ask, ask, ask, ask, says('done')], tools: [poll] });
  await world.run();
  expect(answers(world)).toEqual([1, 2, 3, 4].map((number) => [toolOutcome.ok, '', `${number} done`]));
});

it('tells the same to every dispatch that works on the calls', async () => {
  const asks: MemoryTool = {
    name: 'ask',
    effect: 'idempotent',
    toolClass: 'interaction',
    run: (_, { answer }) => answer ?? { asks: 'Sure?' },
  };
  const ask = { tool: 'ask', argumentsJson: '{}' };
  const first = new RunWorld({
    script: [asksFor(ask, ask, ask)],
    tools: [asks],
    dispatch: { interactive: true },
  });
  expect(await first.run()).toMatchObject({ ended: 'yielded', why: 'waiting' });
  expect(first.journal.said('toolResult').map(({ code }) => code)).toEqual(['LOOP_DETECTED']);
  const [one, two] = first.journal.said('interrupt').map(({ interrupt }) => interrupt?.callId ?? '');
  const again = first.again({ script: [says('done')], answers: { [one ?? '']: '"yes"', [two ?? '']: '"no"' } });
  expect(await again.run()).toMatchObject({ ended: 'completed' });
  expect(answers(again)).toEqual([
    [toolOutcome.ok, '', '"yes"'],
    [toolOutcome.ok, '', '"no"'],
  ]);
});
