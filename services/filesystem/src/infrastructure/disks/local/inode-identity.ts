import type { BigIntStats } from 'node:fs';

/** What was changed less than this ago could be changed again without a new time: file systems count in steps. */
const settledMs = 2000;

/** The same for as long as nobody changes a file or the entries of a folder, once {@link isSettled}. */
export function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join('-');
}

/** Whether a change from now on gives it another identity. Measured with the clock that stamps files. */
export function isSettled({ mtimeMs, ctimeMs }: BigIntStats): boolean {
  return Date.now() - Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs) > settledMs;
}
