import { resolve } from 'node:path';
import { DomainError } from '@spanwise/kernel';
import { z } from 'zod';
import type { DiskKind } from '../disk-kind.ts';
import { CheckedFolder } from './checked-folder.ts';
import { DescriptorFolder } from './descriptor-folder.ts';
import type { Folder } from './folder.ts';
import { LocalDisk } from './local-disk.ts';

/**
 * `kind: local`: a folder of the host. `root` starts at the folder of the configuration file. Where there are no
 * descriptors to walk by (outside of Linux), `trusted: true` states that nobody else makes links in the folder.
 */
export const localDiskKind: DiskKind = {
  kind: 'local',
  settings: z
    .strictObject({ kind: z.literal('local'), root: z.string().min(1), trusted: z.boolean().default(false) })
    .transform(({ root, trusted }) => async ({ name, folder, ids }) => {
      return new LocalDisk({ name, root: await openRoot(resolve(folder, root), trusted), ids });
    }),
};

async function openRoot(path: string, isTrusted: boolean): Promise<Folder> {
  if (process.platform !== 'linux' && !isTrusted) {
    throw new DomainError(
      'invalid',
      'INVALID_FIELD',
      'a local disk is only confined on Linux; elsewhere it needs `trusted: true`',
    );
  }
  try {
    return await (process.platform === 'linux' ? DescriptorFolder.openRoot(path) : CheckedFolder.openRoot(path));
  } catch (error) {
    throw new DomainError('invalid', 'INVALID_FIELD', `the folder ${path} can not be opened`, { cause: error });
  }
}
