import { defineTool } from '@spanwise/tool-kit';
import { resolvePath } from '@spanwise/tool-kit/contract';
import { z } from 'zod';
import { hasReason } from '../../domain/files/file-errors.ts';
import { pathTarget, treeTarget } from './path-target.ts';

export const deleteTool = defineTool({
  name: 'delete',
  title: 'Delete',
  description: `Deletes a file, or a directory. A directory that is not empty is deleted only when recursive is set, with \
all that is in it. A file that was read is deleted only if it has not changed since.`,
  version: '1',
  toolClass: 'files',
  effect: 'IDEMPOTENT',
  input: z.strictObject({
    path: z.string().min(1).describe('The file or directory. A relative path begins at /workspace.'),
    recursive: z.boolean().default(false).describe('True: a directory with all that is in it.'),
  }),
  targets: ({ path, recursive }) => [recursive ? treeTarget(path, 'write') : pathTarget(path, 'write')],
  async execute({ path: asked, recursive: isRecursive }, { files, reads }) {
    const path = resolvePath(asked);
    const known = reads.etagOf(path);
    const output = { text: `Deleted ${path}.`, structured: { path } };
    try {
      await files.delete(path, { isRecursive, etag: known });
      reads.forget(path);
      return output;
    } catch (error) {
      if (hasReason(error, 'ETAG_MISMATCH', 'FILE_NOT_FOUND', 'IDEMPOTENCY_KEY_REUSED')) {
        reads.forget(path);
      }
      if (hasReason(error, 'IDEMPOTENCY_KEY_REUSED')) {
        // An execution of this call that crashed had deleted it, under a guard that died with its process.
        return output;
      }
      throw error;
    }
  },
});
