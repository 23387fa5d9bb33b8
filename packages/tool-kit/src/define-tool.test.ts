import { expect, test } from 'vitest';
import { z } from 'zod';
import type { ProviderTool, Tool } from './contract/tool.ts';
import { defineProviderTool, defineTool } from './define-tool.ts';

type StrictObject = z.ZodObject<z.core.$ZodShape, z.core.$strict>;

function define<Schema extends StrictObject>(input: Schema) {
  return defineTool({
    name: 'probe',
    title: 'Probe',
    description: 'Probes.',
    version: '1',
    toolClass: 'files',
    effect: 'READ_ONLY',
    input,
    execute: () => Promise.resolve({ text: '' }),
  });
}

test('derives the JSON Schema and the parser from one schema', () => {
  const tool = define(
    z.strictObject({ path: z.string().min(1).describe('The file.'), limit: z.int().max(9).default(2) }),
  );
  expect(tool.input.jsonSchema).toEqual({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      path: { type: 'string', minLength: 1, description: 'The file.' },
      limit: { type: 'integer', minimum: -9_007_199_254_740_991, maximum: 9, default: 2 },
    },
    required: ['path'],
    additionalProperties: false,
  });
  expect(tool.input.parse({ path: 'a' })).toEqual({ isValid: true, input: { path: 'a', limit: 2 } });
  expect(tool.limits).toEqual({ timeoutMs: 30_000, outputLines: 2000, outputBytes: 51_200 });
});

test('says which keys exist, which are missing and what is expected', () => {
  const tool = define(z.strictObject({ path: z.string(), edits: z.array(z.strictObject({ old: z.string() })) }));
  expect(tool.input.parse({ paht: 'a', edits: [{ old: 1 }, { old: '', x: 1 }] })).toEqual({
    isValid: false,
    issues: [
      { path: ['path'], kind: 'bad-value', problem: 'it is missing; expected string.' },
      { path: ['edits', 0, 'old'], kind: 'bad-value', problem: 'Invalid input: expected string, received number.' },
      { path: ['edits', 1, 'x'], kind: 'unknown-key', problem: 'there is no such key.' },
      { path: ['paht'], kind: 'unknown-key', problem: 'there is no such key. The keys are: path, edits.' },
    ],
  });
});

test.each([
  ['dates', z.strictObject({ at: z.date() })],
  ['maps', z.strictObject({ all: z.map(z.string(), z.string()) })],
  ['custom types', z.strictObject({ any: z.custom<string>(() => true) })],
])('refuses %s, which JSON Schema can not tell', (_, schema) => {
  expect(() => define(schema)).toThrow(/tool probe can not be told as JSON Schema/);
});

test.each([
  ['a member', z.strictObject({ even: z.int().refine((value) => value % 2 === 0) }), 'properties.even'],
  ['an element', z.strictObject({ all: z.array(z.string().refine(Boolean)) }), 'properties.all.items'],
  ['the whole', z.strictObject({ a: z.string() }).superRefine(() => undefined), ''],
])('refuses a rule on %s that vanishes without a description', (_, schema, place) => {
  expect(() => define(schema)).toThrow(`has a rule without a description at "${place}"`);
});

test('takes a rule of its own that its description tells', () => {
  const even = z.int().refine((value) => value % 2 === 0, 'it is odd');
  const tool = define(z.strictObject({ even: even.describe('An even number.').optional() }).describe('Numbers.'));
  expect(tool.input.parse({ even: 3 })).toEqual({
    isValid: false,
    issues: [{ path: ['even'], kind: 'bad-value', problem: 'it is odd.' }],
  });
});

test('refuses an object that lets unknown keys through', () => {
  const open = z.object({ a: z.string() }) as unknown as StrictObject;
  expect(() => define(open)).toThrow('is no z.strictObject');
});

test('makes tools that run apart, which know no files', async () => {
  const tool = defineProviderTool({
    name: 'probe',
    description: 'Probes.',
    effect: 'READ_ONLY',
    input: z.strictObject({ n: z.int() }),
    // @ts-expect-error There are no files out of the host's process.
    execute: async ({ n }, { files }) => ({ text: `${n}${files}` }),
  });
  expect(tool).toMatchObject({ name: 'probe', title: 'probe', version: '1', toolClass: 'own', runsApart: true });
  // The host takes it as any other; a provider takes only these.
  const ofHost: Tool = tool;
  // @ts-expect-error It may want files.
  const ofProvider: ProviderTool = define(z.strictObject({}));
  expect([ofHost.name, ofProvider.runsApart]).toEqual(['probe', undefined]);
});
