import { defineTool } from '@spanwise/tool-kit';
import type { ToolContext } from '@spanwise/tool-kit/contract';
import { resolvePath } from '@spanwise/tool-kit/contract';
import { z } from 'zod';
import { hasReason } from '../../domain/files/file-errors.ts';
import { treeTarget } from './path-target.ts';

export const moveTool = defineTool({
  name: 'move',
  title: 'Move or rename',
  description: `Moves or renames a file, or a directory with all that is in it, to a path where nothing is. It stays on \
its disk: to another one a file goes by read, write and delete.`,
  version: '1',
  toolClass: 'files',
  effect: 'IDEMPOTENT',
  input: z.strictObject({
    from: z.string().min(1).describe('What to move. A relative path begins at /workspace.'),
    to: z.string().min(1).describe('Its new path, with its name.'),
  }),
  // Whoever may not read it may not have it where they may.
  targets: ({ from, to }) => [treeTarget(from, 'read'), treeTarget(from, 'write'), treeTarget(to, 'write')],
  async execute(input, { files, reads }) {
    const from = resolvePath(input.from);
    const to = resolvePath(input.to);
    const isKnown = await isAsRead(from, { files, reads });
    const moved = await files.move(from, to);
    reads.forget(from);
    if (isKnown) {
      reads.remember(to, moved.etag);
    } else {
      reads.forget(to);
    }
    return { text: `Moved ${from} to ${to}.`, structured: { from, to } };
  },
});

/** Whether the session has read this version: then it need not be read again to be overwritten. */
async function isAsRead(path: string, { files, reads }: Pick<ToolContext, 'files' | 'reads'>): Promise<boolean> {
  const known = reads.etagOf(path);
  try {
    return known !== undefined && (await files.stat(path)).etag === known;
  } catch (error) {
    if (hasReason(error, 'FILE_NOT_FOUND')) {
      // An execution of this call that crashed may have moved it: that is for the move to say.
      return false;
    }
    throw error;
  }
}
