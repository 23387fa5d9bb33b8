import { z } from 'zod';
import { defaultVersionLimits } from '../../../domain/disk/version-limits.ts';

const { keep, days } = defaultVersionLimits;

/** `versions` of a tree disk. The most is what the contract promises. */
export const versionSettings = z
  .strictObject({ keep: z.int().min(0).max(20).default(keep), days: z.int().min(1).max(30).default(days) })
  .default(defaultVersionLimits);
