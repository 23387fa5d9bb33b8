import { describe, expect, it } from 'vitest';
import { renderInstructions, unknownVariables } from './instructions.ts';

describe('instructions', () => {
  it('have their variables filled in, with or without spaces', () => {
    const text = renderInstructions('{{agent}} on {{ date }}, {agent} {{agent}}', {
      agent: 'default',
      date: '2027-01-31',
    });
    expect(text).toBe('default on 2027-01-31, {agent} default');
  });

  it('tell which names are no variables', () => {
    expect(unknownVariables('{{agent}} {{user}} {{}} {{toString}}')).toEqual(['user', '', 'toString']);
  });
});
