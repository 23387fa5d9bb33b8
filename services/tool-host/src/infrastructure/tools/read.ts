import { DomainError } from '@spanwise/kernel';
import { defineTool } from '@spanwise/tool-kit';
import type { ToolContext } from '@spanwise/tool-kit/contract';
import { defaultToolLimits, resolvePath, type ToolOutput } from '@spanwise/tool-kit/contract';
import { z } from 'zod';
import { hasReason } from '../../domain/files/file-errors.ts';
import type { LineWindow } from './line-window.ts';
import { pathTarget } from './path-target.ts';
import { type FileText, readLines } from './read-lines.ts';

const maxLines = 2000;
const maxLineNumber = 1_000_000_000;

export const readTool = defineTool({
  name: 'read',
  title: 'Read file',
  description: `Reads a text file. Each line comes behind its number and a tab, which are not part of the file. At \
most ${maxLines} lines of 2000 characters are shown; a notice says how to read on. Of a binary file only the size is shown.`,
  version: '1',
  toolClass: 'files',
  effect: 'READ_ONLY',
  input: z.strictObject({
    path: z.string().min(1).describe('The file. A relative path begins at /workspace.'),
    offset: z.int().min(1).max(maxLineNumber).default(1).describe('Number of the first line to show.'),
    limit: z.int().min(1).max(maxLines).default(maxLines).describe('How many lines to show.'),
  }),
  targets: ({ path }) => [pathTarget(path, 'read')],
  async execute({ path: asked, offset, limit }, context) {
    const path = resolvePath(asked);
    const found = await readRemembering(path, { firstLine: offset, maxLines: limit }, context);
    return found.kind === 'binary' ? { text: `binary, ${found.size} bytes` } : show(path, offset, found.window);
  },
});

type Window = { readonly firstLine: number; readonly maxLines: number };

/** Reads, and keeps in mind which version was read: that is what allows to overwrite it. */
async function readRemembering(path: string, window: Window, context: ToolContext): Promise<FileText> {
  const { files, reads } = context;
  try {
    const limits = { ...window, maxBytes: defaultToolLimits.outputBytes };
    const found = await readLines(files, path, limits, (done, total) => {
      context.progress({ done, total, message: 'bytes read' });
    });
    reads.remember(path, found.etag);
    return found;
  } catch (error) {
    if (hasReason(error, 'FILE_NOT_FOUND')) {
      // Else a file that was deleted could never be written anew.
      reads.forget(path);
    }
    throw error;
  }
}

function show(path: string, offset: number, window: LineWindow): ToolOutput {
  const { text, shownLines, totalLines } = window;
  if (shownLines === 0 && totalLines !== 0) {
    throw offsetBeyondEnd(path, offset, totalLines ?? 0);
  }
  const last = offset + shownLines - 1;
  const of = totalLines === undefined ? 'more' : totalLines;
  const notices = [
    ...(totalLines === 0 ? ['[The file is empty.]'] : []),
    ...(window.hasCarriageReturns ? ['[Lines end in \\r\\n; only \\n is shown.]'] : []),
    ...(window.isFull ? [`[Lines ${offset} to ${last} of ${of}. Read on with offset ${last + 1}.]`] : []),
  ];
  return { text, notice: notices.join('\n') };
}

/** The model asked for lines that the file does not have. It reads from an earlier one. */
function offsetBeyondEnd(path: string, offset: number, totalLines: number): DomainError {
  const text = `${path} has ${totalLines} lines: there is no line ${offset}. Choose a smaller offset.`;
  return new DomainError('out-of-range', 'INVALID_FIELD', text, { facts: { path, total_lines: totalLines } });
}
