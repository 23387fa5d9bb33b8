import { defineTool } from '@spanwise/tool-kit';
import { resolvePath, workspacePath } from '@spanwise/tool-kit/contract';
import { z } from 'zod';
import { partialNotice } from './partial-notice.ts';
import { pathTarget } from './path-target.ts';

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
  targets: (input) => [pathTarget(searchedPlace(input), 'read')],
  async execute(input, { files }) {
    const { path, pattern } = searched(input);
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

/** The directory that is searched, and what for. A pattern that begins with "/" is one of the root. */
function searched({ path, pattern }: { readonly path: string; readonly pattern: string }) {
  return pattern.startsWith('/') ? { path: '/', pattern: pattern.slice(1) } : { path: resolvePath(path), pattern };
}

/** The directory below which all that matches is: what comes before the first wildcard is a part of it. */
function searchedPlace(input: { readonly path: string; readonly pattern: string }): string {
  const { path, pattern } = searched(input);
  const segments = pattern.split('/');
  const firstWild = segments.findIndex((segment) => /[*?[\]{}\\]/.test(segment));
  const fixed = segments.slice(0, firstWild === -1 ? segments.length : firstWild);
  return `${path}/${fixed.join('/')}`;
}
