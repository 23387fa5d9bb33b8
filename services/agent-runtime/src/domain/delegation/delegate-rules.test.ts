import { noPolicy } from '@spanwise/tool-kit/contract';
import { expect, test } from 'vitest';
import { ruleAgainst } from './delegate-rules.ts';

const toResearcher = JSON.stringify({ agent: 'researcher', task: 'look' });

test.each([
  [{ deny: ['delegate'] }, 'delegate'],
  [{ deny: ['delegate(research*)'] }, 'delegate(research*)'],
  [{ ask: ['*'] }, '*'],
  [{ ask: ['delegate(researcher)'], allow: ['delegate'] }, 'delegate(researcher)'],
  [{ deny: ['not a rule'] }, 'not a rule'],
  [{ deny: ['delegate(writer)', 'bash'], ask: ['read'] }, undefined],
  [{}, undefined],
])('%j', (rules, rule) => {
  expect(ruleAgainst({ ...noPolicy, ...rules }, toResearcher)).toBe(rule);
});

test('arguments that name no agent are held to rules for all of them', () => {
  expect(ruleAgainst({ ...noPolicy, deny: ['delegate'] }, 'no json')).toBe('delegate');
  expect(ruleAgainst({ ...noPolicy, deny: ['delegate(researcher)'] }, 'null')).toBeUndefined();
});
