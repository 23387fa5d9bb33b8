import { brandId, DomainError, type Uid } from '@spanwise/kernel';
import { defaultToolLimits, type Tool } from '@spanwise/tool-kit/contract';
import { expect, test } from 'vitest';
import { ToolCatalog } from './tool-catalog.ts';

const uid = brandId<Uid>('ann');

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
  expect(catalog.list(uid).map(({ name }) => name)).toEqual(['read', 'write']);
  expect(catalog.require('read', uid).name).toBe('read');
});

test('tells which tools exist when one is not there', () => {
  const catalog = new ToolCatalog([named('write'), named('read')]);
  expect(() => catalog.require('reed', uid)).toThrow('There is no tool "reed". The tools are: read, write.');
  expect(() => catalog.require('__proto__', uid)).toThrow('There is no tool');
});

test.each([
  ['two of one name', [named('read'), named('read')]],
  ['a name with a space', [named('read file')]],
  ['no name', [named('')]],
])('refuses %s', (_, tools) => {
  expect(() => new ToolCatalog(tools)).toThrow(/two tools have one name|bad tool name/);
});

test('offers the tools of servers as they are at the moment, but none under the name of its own', () => {
  let offered = [named('srv__look')];
  const source = { name: 'srv', tools: () => offered };
  const catalog = new ToolCatalog([named('read'), named('srv__own')], () => [source]);
  expect(catalog.list(uid).map(({ name }) => name)).toEqual(['read', 'srv__look', 'srv__own']);
  offered = [named('srv__own'), named('srv__bad name'), named('srv__new')];
  expect(catalog.list(uid).map(({ name }) => name)).toEqual(['read', 'srv__new', 'srv__own']);
  expect(() => catalog.require('srv__look', uid)).toThrow('There is no tool "srv__look".');
});

test('tells why the tool of a server can not be had', () => {
  const away = new DomainError('unavailable', 'TOOL_UNAVAILABLE', 'away');
  const source = { name: 'srv', tools: () => [], refusalOf: (name: string) => (name === 'srv__a' ? away : undefined) };
  const catalog = new ToolCatalog([], () => [source]);
  expect(() => catalog.require('srv__a', uid)).toThrow(away);
  expect(() => catalog.require('srv__b', uid)).toThrow('There is no tool');
});
