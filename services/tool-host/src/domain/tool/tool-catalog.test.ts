import { expect, test } from 'vitest';
import { defaultToolLimits, type Tool } from './tool.ts';
import { ToolCatalog } from './tool-catalog.ts';

function named(name: string): Tool {
  return {
    name,
    title: name,
    description: name,
    version: '1',
    toolClass: 'files',
    effect: 'READ_ONLY',
    limits: defaultToolLimits,
    input: { jsonSchema: {}, parse: (input) => ({ isValid: true, input }) },
    execute: () => Promise.resolve({ text: '' }),
  };
}

test('lists tools by name', () => {
  const catalog = new ToolCatalog([named('write'), named('read')]);
  expect(catalog.list().map(({ name }) => name)).toEqual(['read', 'write']);
  expect(catalog.require('read').name).toBe('read');
});

test('tells which tools exist when one is not there', () => {
  const catalog = new ToolCatalog([named('write'), named('read')]);
  expect(() => catalog.require('reed')).toThrow('There is no tool "reed". The tools are: read, write.');
  expect(() => catalog.require('__proto__')).toThrow('There is no tool');
});

test.each([
  ['two of one name', [named('read'), named('read')]],
  ['a name with a space', [named('read file')]],
  ['no name', [named('')]],
])('refuses %s', (_, tools) => {
  expect(() => new ToolCatalog(tools)).toThrow(/two tools have one name|bad tool name/);
});
