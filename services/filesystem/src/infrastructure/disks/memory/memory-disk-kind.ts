import { z } from 'zod';
import type { DiskKind } from '../disk-kind.ts';
import { MemoryDisk } from './memory-disk.ts';

/** `kind: memory`: gone with the process and not shared between replicas; for tests and scratch space. */
export const memoryDiskKind: DiskKind = {
  kind: 'memory',
  settings: z.strictObject({ kind: z.literal('memory') }).transform(
    () =>
      async ({ clock }) =>
        new MemoryDisk({ clock }),
  ),
};
