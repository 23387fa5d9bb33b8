import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { ProvidedToolSchema } from '@spanwise/contracts/spanwise/tool/v1/provider';
import { ToolClass, ToolDecision, ToolEffect } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { expect, test } from 'vitest';
import { toTool } from './provided-tool.ts';

const execute = () => Promise.resolve({ text: '' });

function toolOf(facts: MessageInitShape<typeof ProvidedToolSchema>) {
  const listed = { name: 'pay', description: 'Pays.', version: '3', inputSchemaJson: '{"type":"object"}', ...facts };
  const { input, ...tool } = toTool('billing', create(ProvidedToolSchema, listed), execute);
  return { ...tool, schema: input.jsonSchema };
}

const careful = {
  name: 'billing__pay',
  title: 'pay',
  description: 'Pays.',
  version: '3',
  source: 'billing',
  toolClass: 'own',
  effect: 'NON_REPEATABLE',
  limits: { timeoutMs: 30_000, outputLines: 2000, outputBytes: 51_200 },
  schema: { type: 'object' },
  execute,
};

test('takes what is not told for what is most careful', () => {
  expect(toolOf({})).toEqual(careful);
});

test('takes what is told, within limits', () => {
  const told = {
    title: 'Pay',
    effect: ToolEffect.IDEMPOTENT,
    toolClass: ToolClass.WEB,
    defaultDecision: ToolDecision.DENY,
    limits: { timeout: { seconds: 7200n }, outputLines: 10, outputBytes: 5_000_000 },
  };
  expect(toolOf(told)).toEqual({
    ...careful,
    title: 'Pay',
    effect: 'IDEMPOTENT',
    toolClass: 'web',
    defaultDecision: 'ask',
    limits: { timeoutMs: 3_600_000, outputLines: 10, outputBytes: 1_048_576 },
  });
});

test.each([
  ['a name that is too long', { name: 'n'.repeat(60) }, 'has a name that models refuse'],
  ['a name with a space', { name: 'a b' }, 'has a name that models refuse'],
  ['a long description', { description: 'x'.repeat(20_000) }, 'a description'],
  ['no schema', { inputSchemaJson: '' }, 'has a schema that is not used'],
  ['a schema that is no JSON', { inputSchemaJson: '{"type":' }, 'has a schema that is not used'],
  ['a schema of a list', { inputSchemaJson: '{"type":"array"}' }, 'it describes no object'],
  ['a schema of 40 levels', { inputSchemaJson: `${'{"not":'.repeat(40)}{}${'}'.repeat(40)}` }, 'has a schema that'],
  ['a schema from elsewhere', { inputSchemaJson: '{"type":"object","$ref":"http://x/y"}' }, 'outside of it'],
])('refuses %s', (_, facts, why) => {
  expect(() => toolOf(facts)).toThrow(why);
});
