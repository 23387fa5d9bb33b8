import { DomainError } from '@spanwise/kernel';
import { defineTool, wellFormedText } from '@spanwise/tool-kit';
import type { InterruptAnswer, ToolOutput, ToolSuspension } from '@spanwise/tool-kit/contract';
import { z } from 'zod';

const question = z.strictObject({
  question: wellFormedText('What is asked, in full: the user sees nothing else.').min(1).max(4000),
  options: z
    .array(wellFormedText('An answer to choose.').min(1).max(200))
    .min(2)
    .max(8)
    .optional()
    .describe('Answers to choose from; the user may also answer in other words.'),
  multiple: z.boolean().default(false).describe('True: more than one option may be chosen.'),
});

type Question = z.output<typeof question>;

export const askUserTool = defineTool({
  name: 'ask_user',
  title: 'Ask the user',
  description: `Asks the user 1 to 4 questions and waits for the answers, which may take long. Ask only what you can not \
find out yourself and can not sensibly decide.`,
  version: '1',
  toolClass: 'interaction',
  effect: 'IDEMPOTENT',
  input: z.strictObject({ questions: z.array(question).min(1).max(4).describe('The questions, asked together.') }),
  async execute({ questions }, { answer }) {
    return answer === undefined ? ask(questions) : tell(questions, answer);
  },
});

function ask(questions: readonly Question[]): ToolSuspension {
  const message = questions.map((each, index) => textOf(each, questions.length === 1 ? '' : `${index + 1}. `));
  return { suspend: { kind: 'question', message: message.join('\n\n'), schema: schemaOf(questions) } };
}

function textOf({ question, options = [], multiple }: Question, number: string): string {
  const hint = multiple && options.length > 0 ? ' (more than one may be chosen)' : '';
  return [`${number}${question}${hint}`, ...options.map((option) => `- ${option}`)].join('\n');
}

/** Answers in the order of the questions. Options are shown as examples: an answer in other words is as good. */
function schemaOf(questions: readonly Question[]): Readonly<Record<string, unknown>> {
  const items = questions.map(({ question: title, options }) => ({
    type: 'string',
    title,
    ...(options === undefined ? {} : { examples: options }),
  }));
  const count = { minItems: items.length, maxItems: items.length };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: { answers: { type: 'array', prefixItems: items, items: false, ...count } },
    required: ['answers'],
    additionalProperties: false,
  };
}

function tell(questions: readonly Question[], { answerJson, isExpired }: InterruptAnswer): ToolOutput {
  if (isExpired) {
    throw nobodyAnswered();
  }
  const answers = parseAnswers(answerJson, questions.length);
  const text = questions.map(({ question }, index) => `Question: ${question}\nAnswer: ${answers[index]}`).join('\n\n');
  return { text, structured: { answers } };
}

function parseAnswers(json: string, count: number): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw answerInvalid('it is no JSON', error);
  }
  const parsed = z.strictObject({ answers: z.array(z.string()).length(count) }).safeParse(value);
  if (!parsed.success) {
    throw answerInvalid(z.prettifyError(parsed.error).replaceAll('\n', ' '), parsed.error);
  }
  return parsed.data.answers;
}

/** The interrupt expired. The model goes on without an answer. */
function nobodyAnswered(): DomainError {
  const text = 'Nobody answered in time. Go on without the answer, or say what is missing.';
  return new DomainError('deadline', 'DEADLINE_EXCEEDED', text);
}

/** The answer that was stored does not fit what was asked. The model may ask again. */
function answerInvalid(why: string, cause: unknown): DomainError {
  const text = `The user's answer can not be used: ${why}. Ask again if it matters.`;
  return new DomainError('invalid', 'INVALID_FIELD', text, { cause });
}
