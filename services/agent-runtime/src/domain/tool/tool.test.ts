import { describe, expect, it } from 'vitest';
import { testTool } from '../../../tests/doubles/test-tool.ts';
import { listedTool, toolOf } from './tool.ts';

describe('a tool of the contract', () => {
  it.each([
    testTool(),
    testTool({ effect: 'idempotent', toolClass: 'interaction', inputSchema: { type: 'object', required: ['a'] } }),
    testTool({ effect: 'non-repeatable', toolClass: 'other', title: 'Title', version: '2' }),
  ])('is the same when it is read again', (tool) => {
    expect(toolOf(listedTool(tool))).toEqual(tool);
  });

  it('counts as the most dangerous kind when its effect is not known here', () => {
    expect(toolOf({ ...listedTool(testTool()), effect: 99, toolClass: 99 })).toMatchObject({
      effect: 'non-repeatable',
      toolClass: 'other',
    });
  });
});
