import { defineTool } from '@spanwise/tool-kit';
import { resolvePath, workspacePath } from '@spanwise/tool-kit/contract';
import { z } from 'zod';
import { countsReport, filesReport, matchesReport, maxHits } from './grep-report.ts';
import { treeTarget } from './path-target.ts';

/** How each mode shows what was found, and how many matches it looks at. */
const modes = {
  content: { makeReport: matchesReport, limit: maxHits + 1 },
  files: { makeReport: filesReport, limit: 10_000 },
  count: { makeReport: countsReport, limit: 10_000 },
} as const;

export const grepTool = defineTool({
  name: 'grep',
  title: 'Search in files',
  description: `Finds lines by regular expression (RE2 syntax: no look-around, no back-references). mode "content" \
shows the lines with their numbers, "files" the files that have a match, "count" how many each file has. At most \
${maxHits} hits are shown. Binary files are skipped.`,
  version: '1',
  toolClass: 'search',
  effect: 'READ_ONLY',
  limits: { timeoutMs: 60_000 },
  input: z.strictObject({
    pattern: z.string().min(1).max(1024).describe('The regular expression, matched line by line.'),
    path: z
      .string()
      .min(1)
      .default(workspacePath)
      .describe('File or directory to search. A relative path begins at /workspace.'),
    include: z
      .string()
      .max(1024)
      .default('')
      .describe('Only files whose path relative to path matches this glob, for example "**/*.ts".'),
    mode: z.enum(['content', 'files', 'count']).default('content').describe('What to show.'),
    context_lines: z
      .int()
      .min(0)
      .max(20)
      .default(0)
      .describe('Lines to show before and after each match; content mode only.'),
    ignore_case: z.boolean().default(false).describe('True: letters match either case.'),
  }),
  targets: ({ path }) => [treeTarget(path, 'read')],
  async execute(input, { files }) {
    const { makeReport, limit } = modes[input.mode];
    const report = makeReport();
    const found = files.grep({
      path: resolvePath(input.path),
      pattern: input.pattern,
      include: input.include,
      ignoresCase: input.ignore_case,
      contextLines: input.mode === 'content' ? input.context_lines : 0,
      limit,
    });
    for await (const item of found) {
      if (report.add(item)) {
        break;
      }
    }
    return report.output();
  },
});
