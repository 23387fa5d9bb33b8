import { z } from 'zod';
import type { Quota } from '../../../domain/usage/usage.ts';

const units: ReadonlyMap<string, number> = new Map(
  ['', 'KiB', 'MiB', 'GiB', 'TiB'].map((unit, index) => [unit, 1024 ** index]),
);

/** A number of bytes as a setting. */
export const byteCount = z
  .union([z.string(), z.number()], 'a number of bytes, or one with KiB, MiB, GiB or TiB')
  .transform((value, context) => {
    const [, digits, unit = ''] = /^(\d{1,15}) ?([KMGT]iB)?$/.exec(String(value)) ?? [];
    const amount = Number(digits) * (units.get(unit) ?? Number.NaN);
    if (!Number.isSafeInteger(amount) || amount < 1) {
      context.addIssue({
        code: 'custom',
        message: 'a whole number of bytes from 1 on, or one with KiB, MiB, GiB or TiB',
      });
      return z.NEVER;
    }
    return amount;
  });

/** `quota: {bytes: 1GiB, files: 10000}`: what each user may have on a disk. Without one of them there is no such limit. */
export const quotaSettings = z
  .strictObject({ bytes: byteCount.optional(), files: z.int().min(1).optional() })
  .transform(({ bytes: maxBytes, files: maxFiles }): Quota => ({ maxBytes, maxFiles }));
