import { defineTool } from '@spanwise/tool-kit';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { decodeArguments } from './decode-arguments.ts';
import { validateArguments } from './validate-arguments.ts';

const tool = defineTool({
  name: 'probe',
  title: 'Probe',
  description: 'Probes.',
  version: '1',
  toolClass: 'files',
  effect: 'READ_ONLY',
  input: z.strictObject({
    path: z.string(),
    offset: z.int().optional(),
    limit: z.int().default(10),
    label: z.string().nullable().optional(),
    edits: z.array(z.strictObject({ old: z.string(), all: z.boolean().optional() })).optional(),
  }),
  execute: () => Promise.resolve({ text: '' }),
});

function read(text: string): unknown {
  return validateArguments(tool, decodeArguments(text));
}

test('takes valid arguments and fills in defaults', () => {
  expect(read('{"path": "a", "offset": 3}')).toEqual({ path: 'a', offset: 3, limit: 10 });
});

test('drops null where a key is optional, at any depth, and keeps it where null is allowed', () => {
  const text = '{"path": "a", "offset": null, "limit": null, "label": null, "edits": [{"old": "x", "all": null}]}';
  expect(read(text)).toEqual({ path: 'a', limit: 10, label: null, edits: [{ old: 'x' }] });
});

test('reads arguments that were encoded twice', () => {
  expect(read(JSON.stringify('{"path": "a"}'))).toEqual({ path: 'a', limit: 10 });
});

test.each([
  [
    'three times encoded',
    JSON.stringify(JSON.stringify('{"path": "a"}')),
    /- the arguments \(position 0\): .*expected object/,
  ],
  ['nothing', '', /cut off at position 0/],
  ['words', 'read the file', /not usable JSON at position 0: a value was expected/],
  ['no object', '["a"]', /- the arguments \(position 0\): .*expected object, received array/],
  ['single quotes', "{'path': 'a'}", /not usable JSON at position 1, after "\{": a key in double quotes was expected/],
  ['a comma too many', '{"path": "a",}', /at position 13, after .*: a key in double quotes was expected/],
  ['two objects', '{"path": "a"}{"path": "b"}', /at position 13, .*the end was expected/],
  ['cut text', '{"path": "/workspace/a.t', /cut off at position 24, .*: a string is not closed\. Nothing was done/],
  ['cut text in a string', JSON.stringify('{"path": "a"'), /cut off at position 12/],
  ['a missing key', '{"offset": 1}', /- path \(position 0\): it is missing; expected string\./],
  ['null for a key that is needed', '{"path": null}', /- path \(position 1\): it is missing; expected string\./],
  ['null in an array', '{"path": "a", "edits": [null]}', /- edits\[0\] \(position 24\): .*received null/],
  [
    'an unknown key',
    '{"path": "a", "ofset": 1}',
    /- ofset \(position 14\): there is no such key\. The keys are: path, offset,/,
  ],
  ['an unknown key that is null', '{"path": "a", "ofset": null}', /- ofset \(position 14\): there is no such key/],
  ['a prototype', '{"path": "a", "__proto__": {"offset": 1}}', /- __proto__ \(position 14\): there is no such key/],
  ['a wrong type', '{"path": "a", "offset": "3"}', /- offset \(position 14\): .*expected number, received string/],
  ['a fault within', '{"path": "a", "edits": [{"old": 1}]}', /- edits\[0\]\.old \(position 25\): .*expected string/],
  ['too deep', `{"path": ${'['.repeat(40)}${']'.repeat(40)}}`, /at position 40, .*more than 32 objects and arrays/],
])('refuses %s and says where', (_, text, message) => {
  expect(() => read(text)).toThrow(message);
  expect(() => read(text)).toThrow(expect.objectContaining({ kind: 'invalid', reason: 'INVALID_FIELD' }));
});

test('refuses arguments of more than 1 MiB', () => {
  const text = JSON.stringify({ path: 'x'.repeat(1024 * 1024) });
  expect(() => read(text)).toThrow(`The arguments have ${text.length} bytes; at most 1048576 are allowed.`);
});

test('lists at most ten things that are wrong', () => {
  const keys = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`key${index}`, 1]));
  expect(() => read(JSON.stringify(keys))).toThrow('- and 21 more');
});
