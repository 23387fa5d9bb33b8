import { compareNames } from '../domain/path/name-order.ts';
import type { FoundFile } from './walk-files.ts';

/** Keeps the newest of many files in memory for `limit` of them: newest first, then by path. */
export class NewestFiles {
  readonly #limit: number;
  readonly #files: FoundFile[] = [];
  #offered = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get files(): readonly FoundFile[] {
    return this.#files;
  }

  /** True when more files were offered than are kept. */
  get isTruncated(): boolean {
    return this.#offered > this.#limit;
  }

  offer(file: FoundFile): void {
    this.#offered += 1;
    let low = 0;
    let high = this.#files.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#files[middle];
      if (other !== undefined && compareAge(other, file) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low < this.#limit) {
      this.#files.splice(low, 0, file);
      this.#files.length = Math.min(this.#files.length, this.#limit);
    }
  }
}

/** Files whose age is not known come last. */
function compareAge(left: FoundFile, right: FoundFile): number {
  const newer = (right.node.modifyTimeMs ?? -Infinity) - (left.node.modifyTimeMs ?? -Infinity);
  // Two unknown ages differ by NaN.
  return newer || compareNames(left.path.text, right.path.text);
}
