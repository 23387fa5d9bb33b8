import { z } from 'zod';
import { resolvePath, workspacePath } from '../../domain/files/file-path.ts';
import { defineTool } from './define-tool.ts';
import { partialNotice } from './partial-notice.ts';

const maxFiles = 100;

export const globTool = defineTool({
  name: 'glob',
  title: 'Find files',
  description: `Finds files by the pattern of their path, newest first, at most ${maxFiles}. In a pattern, "*", "?", \
"[…]" and "{a,b}" stay within one name and "**" goes over directories: "**/*.ts" finds TypeScript files at any depth.`,
  version: '1',
  toolClass: 'search',
  effect: 'READ_ONLY',
  input: z.strictObject({
    pattern: z
      .string()
      .min(1)
      .max(1024)
      .describe('The pattern, relative to path; one that begins with "/" is absolute.'),
    path: z
      .string()
      .min(1)
      .default(workspacePath)
      .describe('The directory to search. A relative path begins at /workspace.'),
  }),
  async execute(input, { files }) {
    const isAbsolute = input.pattern.startsWith('/');
    const path = isAbsolute ? '/' : resolvePath(input.path);
    const pattern = isAbsolute ? input.pattern.slice(1) : input.pattern;
    const result = await files.glob({ path, pattern, limit: maxFiles });
    const { files: found, isTruncated, partialSources } = result;
    const more = `[More files match; the ${found.length} newest are shown. Refine the pattern or the path.]`;
    const notices = [...(isTruncated ? [more] : []), ...partialNotice(partialSources)];
    return {
      text:
        found.length === 0 ? `No file under ${path} matches ${pattern}.` : found.map((file) => file.path).join('\n'),
      notice: notices.join('\n'),
    };
  },
});
