import { z } from 'zod';
import type { DiskKind } from '../disk-kind.ts';
import { quotaSettings } from './quota-settings.ts';
import { TreeDisk } from './tree-disk.ts';
import { versionSettings } from './version-settings.ts';

/** `kind: tree`: rows and blobs in the service's database, shared by all replicas. */
export const treeDiskKind: DiskKind = {
  kind: 'tree',
  keepsMarks: true,
  settings: z
    .strictObject({ kind: z.literal('tree'), quota: quotaSettings.optional(), versions: versionSettings })
    .transform(
      ({ quota, versions }) =>
        async ({ name, database, blobs, clock, ids }) =>
          new TreeDisk({ name, database, blobs, clock, ids, quota, versionLimits: versions }),
    ),
};
