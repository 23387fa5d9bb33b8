import { defineTool, wellFormedText } from '@spanwise/tool-kit';
import { resolvePath } from '@spanwise/tool-kit/contract';
import { z } from 'zod';
import { hasReason } from '../../domain/files/file-errors.ts';
import { pathTarget } from './path-target.ts';

export const editTool = defineTool({
  name: 'edit',
  title: 'Edit file',
  description: `Replaces exact text in a file. old_text must be there exactly once, unless replace_all is set. Copy it \
from what read showed, without the line numbers.`,
  version: '1',
  toolClass: 'files',
  effect: 'IDEMPOTENT',
  input: z.strictObject({
    path: z.string().min(1).describe('The file. A relative path begins at /workspace.'),
    old_text: wellFormedText('The text to replace, with its spaces and line ends.').min(1),
    new_text: wellFormedText('The text to put in its place, as it is; may be empty.'),
    replace_all: z.boolean().default(false).describe('True: replace every match.'),
  }),
  // It tells whether a text is there.
  targets: ({ path }) => [pathTarget(path, 'read'), pathTarget(path, 'write')],
  async execute(input, { files, reads }) {
    const path = resolvePath(input.path);
    const known = reads.etagOf(path);
    try {
      const { file, replacements } = await files.edit(path, {
        oldText: input.old_text,
        newText: input.new_text,
        replacesAll: input.replace_all,
        etag: known,
      });
      if (known !== undefined) {
        // Who has not read the file has not read it now either: write still asks for that.
        reads.remember(path, file.etag);
      }
      return {
        text: `Replaced ${replacements} ${replacements === 1 ? 'match' : 'matches'} in ${path}.`,
        structured: { path, etag: file.etag, size: file.size, replacements },
      };
    } catch (error) {
      if (hasReason(error, 'IDEMPOTENCY_KEY_REUSED')) {
        // An execution of this call that crashed had edited it, under a guard that died with its process.
        return { text: `Replaced the text in ${path}.` };
      }
      if (hasReason(error, 'ETAG_MISMATCH', 'FILE_NOT_FOUND')) {
        reads.forget(path);
      }
      throw error;
    }
  },
});
