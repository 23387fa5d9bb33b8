import type { InterruptAnswer } from '@spanwise/tool-kit/contract';
import { expect, test } from 'vitest';
import { ToolBench } from '../../../tests/tool-calls.ts';

const questions = [
  { question: 'Which colour?', options: ['red', 'blue'] },
  { question: 'Which sizes?', options: ['S', 'M', 'L'], multiple: true },
  { question: 'Anything else?' },
];

async function ask(bench: ToolBench, input: unknown) {
  const last = (await bench.frames('ask_user', input)).at(-1);
  return last?.type === 'suspended' ? last.interrupt : expect.fail('it was not suspended');
}

async function answer(given: Partial<InterruptAnswer>, asked: readonly object[] = questions) {
  const bench = new ToolBench();
  const { id: interruptId } = await ask(bench, { questions: asked });
  const whole = { interruptId, answerJson: '', isExpired: false, answeredBy: 'ann', ...given };
  return (await bench.call('ask_user', { questions: asked }, { answer: whole })).result;
}

test('asks in words for people, with a schema of one answer for each question', async () => {
  const { message, schemaJson } = await ask(new ToolBench(), { questions });
  expect(message).toBe(
    [
      '1. Which colour?\n- red\n- blue',
      '2. Which sizes? (more than one may be chosen)\n- S\n- M\n- L',
      '3. Anything else?',
    ].join('\n\n'),
  );
  expect(JSON.parse(schemaJson)).toEqual({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      answers: {
        type: 'array',
        prefixItems: [
          { type: 'string', title: 'Which colour?', examples: ['red', 'blue'] },
          { type: 'string', title: 'Which sizes?', examples: ['S', 'M', 'L'] },
          { type: 'string', title: 'Anything else?' },
        ],
        items: false,
        minItems: 3,
        maxItems: 3,
      },
    },
    required: ['answers'],
    additionalProperties: false,
  });
});

test('asks one question without a number', async () => {
  expect((await ask(new ToolBench(), { questions: [{ question: 'Sure?' }] })).message).toBe('Sure?');
});

test('tells the answers beside their questions', async () => {
  const answers = ['blue', 'S, M', 'no'];
  const result = await answer({ answerJson: JSON.stringify({ answers }) });
  expect(result).toMatchObject({
    outcome: 'ok',
    text: 'Question: Which colour?\nAnswer: blue\n\nQuestion: Which sizes?\nAnswer: S, M\n\nQuestion: Anything else?\nAnswer: no',
    structuredJson: JSON.stringify({ answers }),
  });
});

test.each([
  ['is no JSON', 'blue', 'it is no JSON'],
  ['has too few answers', '{"answers":["blue"]}', 'answers'],
  ['has answers that are no text', '{"answers":["blue",1,"no"]}', 'answers[1]'],
  ['is something else', '["blue","S","no"]', 'expected object'],
])('says what is wrong with an answer that %s', async (_, answerJson, why) => {
  const result = await answer({ answerJson });
  expect(result).toMatchObject({
    outcome: 'error',
    text: expect.stringContaining("The user's answer can not be used: "),
  });
  expect(result.text).toContain(why);
});

test('ends with a timeout when nobody answers', async () => {
  const result = await answer({ isExpired: true });
  expect(result).toMatchObject({ outcome: 'timeout', text: expect.stringContaining('Nobody answered in time.') });
});

test.each([
  ['no question', []],
  ['five questions', Array.from({ length: 5 }, () => ({ question: 'Why?' }))],
  ['one option', [{ question: 'Why?', options: ['so'] }]],
  ['nine options', [{ question: 'Why?', options: Array.from('123456789') }]],
])('refuses %s', async (_, asked) => {
  expect((await new ToolBench().call('ask_user', { questions: asked })).result.outcome).toBe('error');
});
