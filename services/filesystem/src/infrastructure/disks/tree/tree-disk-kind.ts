import { z } from 'zod';
import type { DiskKind } from '../disk-kind.ts';
import { TreeDisk } from './tree-disk.ts';

/** `kind: tree`: rows and blobs in the service's database, shared by all replicas. */
export const treeDiskKind: DiskKind = {
  kind: 'tree',
  keepsMarks: true,
  settings: z.strictObject({ kind: z.literal('tree') }).transform(
    () =>
      async ({ name, database, clock, ids }) =>
        new TreeDisk({ name, database, clock, ids }),
  ),
};
