import { defineTool } from '@spanwise/tool-kit';
import { resolvePath } from '@spanwise/tool-kit/contract';
import { z } from 'zod';
import { pathTarget } from './path-target.ts';

export const mkdirTool = defineTool({
  name: 'mkdir',
  title: 'Make directory',
  description:
    'Makes a directory and those above it; fine if it is there. write makes the directories of its file by itself.',
  version: '1',
  toolClass: 'files',
  effect: 'IDEMPOTENT',
  input: z.strictObject({
    path: z.string().min(1).describe('The directory. A relative path begins at /workspace.'),
  }),
  targets: ({ path }) => [pathTarget(path, 'write')],
  async execute({ path: asked }, { files }) {
    const path = resolvePath(asked);
    await files.makeDirectory(path);
    return { text: `The directory ${path} is there.`, structured: { path } };
  },
});
