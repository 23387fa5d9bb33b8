import { DomainError } from '@spanwise/kernel';
import { defineTool, wellFormedText } from '@spanwise/tool-kit';
import type { WriteGuard } from '@spanwise/tool-kit/contract';
import { resolvePath } from '@spanwise/tool-kit/contract';
import { z } from 'zod';
import { hasReason } from '../../domain/files/file-errors.ts';
import { pathTarget } from './path-target.ts';

export const writeTool = defineTool({
  name: 'write',
  title: 'Write file',
  description: `Writes a whole file and makes the directories above it. A file that exists must have been read before, \
and not have changed since. To change a part of a file use edit.`,
  version: '1',
  toolClass: 'files',
  effect: 'IDEMPOTENT',
  input: z.strictObject({
    path: z.string().min(1).describe('The file. A relative path begins at /workspace.'),
    content: wellFormedText('The whole new content; may be empty.'),
  }),
  targets: ({ path }) => [pathTarget(path, 'write')],
  async execute({ path: asked, content }, { files, reads }) {
    const path = resolvePath(asked);
    const known = reads.etagOf(path);
    const guard: WriteGuard = known === undefined ? { type: 'create-only' } : { type: 'if-match', etag: known };
    try {
      const { file, isNew } = await files.write(path, new TextEncoder().encode(content), guard);
      reads.remember(path, file.etag);
      return {
        text: `${isNew ? 'Created' : 'Overwrote'} ${path}: ${file.size} bytes.`,
        structured: { path, etag: file.etag, size: file.size, created: isNew },
      };
    } catch (error) {
      if (hasReason(error, 'IDEMPOTENCY_KEY_REUSED')) {
        // An execution of this call that crashed had written it, under a guard that died with its process.
        return { text: `Wrote ${path}.` };
      }
      if (hasReason(error, 'ETAG_MISMATCH')) {
        reads.forget(path);
      }
      throw hasReason(error, 'FILE_EXISTS') ? notReadYet(path, error) : error;
    }
  },
});

/** The file exists and this session has not read it, or that was forgotten. The model reads it first. */
function notReadYet(path: string, cause: DomainError): DomainError {
  const text = `${path} exists and has not been read. Read it first; then write it, or change a part with edit.`;
  return new DomainError('exists', 'FILE_EXISTS', text, { facts: { path }, cause });
}
