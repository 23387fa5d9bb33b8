import type { DiskKind } from './disk-kind.ts';
import { localDiskKind } from './local/local-disk-kind.ts';
import { memoryDiskKind } from './memory/memory-disk-kind.ts';
import { objectDiskKind } from './object/object-disk-kind.ts';
import { restDiskKind } from './rest/rest-disk-kind.ts';
import { treeDiskKind } from './tree/tree-disk-kind.ts';

/** All kinds of disks: a new one is registered here. */
export const diskKinds: readonly DiskKind[] = [
  treeDiskKind,
  localDiskKind,
  memoryDiskKind,
  restDiskKind,
  objectDiskKind,
];
