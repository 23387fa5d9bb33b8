import { defineTool } from '@spanwise/tool-kit';
import type { FileInfo } from '@spanwise/tool-kit/contract';
import { resolvePath, workspacePath } from '@spanwise/tool-kit/contract';
import { z } from 'zod';
import { partialNotice } from './partial-notice.ts';
import { pathTarget } from './path-target.ts';

const maxEntries = 1000;

export const lsTool = defineTool({
  name: 'ls',
  title: 'List directory',
  description: `Lists a directory by name: directories end in "/", files are followed by their size. At most \
${maxEntries} entries are shown. To find files by pattern use glob.`,
  version: '1',
  toolClass: 'files',
  effect: 'READ_ONLY',
  input: z.strictObject({
    path: z.string().min(1).default(workspacePath).describe('The directory. A relative path begins at /workspace.'),
  }),
  targets: ({ path }) => [pathTarget(path, 'read')],
  async execute({ path: asked }, { files }) {
    const path = resolvePath(asked);
    const page = await files.list(path, { pageSize: maxEntries, pageToken: '' });
    const { entries, nextPageToken, partialSources } = page;
    const more = `[Only the first ${entries.length} entries are shown. Use glob to find others.]`;
    const notices = [...(nextPageToken === '' ? [] : [more]), ...partialNotice(partialSources)];
    return {
      text: entries.length === 0 ? `${path} is empty.` : entries.map(lineOf).join('\n'),
      notice: notices.join('\n'),
    };
  },
});

function lineOf({ path, kind, size }: FileInfo): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return kind === 'directory' ? `${name}/` : `${name}  ${size} B`;
}
