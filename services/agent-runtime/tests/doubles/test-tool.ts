import type { Tool } from '../../src/domain/tool/tool.ts';

/** A tool as tool-host lists it. */
export function testTool(differing: Partial<Tool> = {}): Tool {
  const name = differing.name ?? 'read';
  return {
    name,
    title: name,
    description: `Does ${name}.`,
    inputSchema: { type: 'object' },
    effect: 'read-only',
    toolClass: 'files',
    version: '1',
    ...differing,
  };
}
