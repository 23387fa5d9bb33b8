import { expect, test } from 'vitest';
import { SchemaCompiler } from './remote-schema.ts';

const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more });

function compiled(schema: unknown) {
  const answer = new SchemaCompiler().compile(schema);
  if (!answer.isFit) {
    throw new TypeError(answer.fault);
  }
  return answer.schema;
}

function fault(schema: unknown): string {
  const answer = new SchemaCompiler().compile(schema);
  return answer.isFit ? '' : answer.fault;
}

function nested(levels: number): object {
  let schema: object = { type: 'string' };
  for (let level = 0; level < levels; level += 1) {
    schema = { items: schema };
  }
  return schema;
}

test('checks values and tells where they are wrong', () => {
  const schema = compiled(
    object(
      { 'a/b': { type: 'array', items: { type: 'string' } }, kind: { enum: ['x', 'y'] } },
      {
        required: ['kind'],
        additionalProperties: false,
      },
    ),
  );
  expect(schema.parse({ 'a/b': ['s'], kind: 'x' })).toEqual({ isValid: true, input: { 'a/b': ['s'], kind: 'x' } });
  expect(schema.parse({ 'a/b': ['s', 1], kind: 'z' })).toEqual({
    isValid: false,
    issues: [
      { path: ['a/b', 1], kind: 'bad-value', problem: 'it must be string.' },
      { path: ['kind'], kind: 'bad-value', problem: 'it must be equal to one of the allowed values: ["x","y"].' },
    ],
  });
  expect(schema.parse({ other: 1 })).toEqual({
    isValid: false,
    issues: [
      { path: ['kind'], kind: 'bad-value', problem: 'it is missing.' },
      { path: ['other'], kind: 'unknown-key', problem: 'there is no such key.' },
    ],
  });
});

test('shows the schema as the server wrote it, in the words of 2020-12', () => {
  const draft7 = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'http://x/',
    ...object({ pair: { items: [{ type: 'string' }, { type: 'number' }], additionalItems: false } }),
  };
  const schema = compiled(draft7);
  expect(schema.jsonSchema).toEqual(
    object({ pair: { prefixItems: [{ type: 'string' }, { type: 'number' }], items: false } }),
  );
  expect(schema.parse({ pair: ['a', 1] }).isValid).toBe(true);
  expect(schema.parse({ pair: ['a', 1, 2] }).isValid).toBe(false);
});

test.each([
  ['no object', 'x', 'it is no object'],
  ['a reference to elsewhere', object({ a: { $ref: 'https://evil.example/schema.json' } }), 'outside of it'],
  ['a reference to a file', object({ a: { $ref: 'file:///etc/passwd' } }), 'outside of it'],
  ['an id that moves its references', object({ a: { $id: 'https://evil.example/', $ref: '#/x' } }), '$id'],
  ['10,000 levels', nested(10_000), '32 levels'],
  ['100 KB', object({ a: { description: 'x'.repeat(100_000) } }), '65536 bytes'],
  [
    '1,000 references',
    object({ a: { allOf: Array.from({ length: 1000 }, () => ({ $ref: '#/$defs/b' })) } }),
    '64 references',
  ],
  ['a reference to nowhere', object({ a: { $ref: '#/$defs/none' } }), 'can not be compiled'],
  ['a type that is none', { type: 'bananas' }, 'can not be compiled'],
])('refuses %s', (_, schema, told) => {
  expect(fault(schema)).toContain(told);
});

test('stops checking what would take for ever', () => {
  const tooLarge = {
    isValid: false,
    issues: [{ path: [], kind: 'bad-value', problem: 'it is too large to be checked.' }],
  };
  expect(compiled({ type: 'object', allOf: [{ $ref: '#' }] }).parse({})).toEqual(tooLarge);
  const twice = (name: string) => ({ allOf: [{ $ref: `#/$defs/${name}` }, { $ref: `#/$defs/${name}` }] });
  const names = Array.from({ length: 31 }, (_, index) => `n${index}`);
  const $defs = Object.fromEntries([
    ...names.map((name, index) => [name, twice(`n${index + 1}`)] as const),
    ['n31', true],
  ]);
  expect(compiled({ type: 'object', $defs, ...twice('n0') }).parse({})).toEqual(tooLarge);
});

test('checks patterns in linear time, and leaves to the server what can not be', () => {
  const schema = compiled(object({ slow: { pattern: '^(a+)+$' }, ahead: { pattern: '(?=b)b' } }));
  const begun = performance.now();
  expect(schema.parse({ slow: `${'a'.repeat(50_000)}!` }).isValid).toBe(false);
  expect(schema.parse({ slow: 'aaa', ahead: 'c' }).isValid).toBe(true);
  expect(performance.now() - begun).toBeLessThan(5000);
});
