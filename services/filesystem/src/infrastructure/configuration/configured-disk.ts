import type { DiskOpener } from '../disks/disk-kind.ts';

/** A disk of the configuration that is not open yet. */
export interface ConfiguredDisk {
  readonly name: string;
  readonly keepsMarks: boolean;
  /** Throws with the line of the disk what its opener throws. */
  readonly open: DiskOpener;
}
