import { lstat, statfs } from 'node:fs/promises';
import { errorCodeOf } from './error-code.ts';
import { rawEntries } from './raw-entries.ts';

/** What a command may leave in its folder, with what it was given. */
export interface DiskLimits {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

/** On the file system of the folder, this much stays free. */
const floorBytes = 256 * 1024 * 1024;

/**
 * Watches how much a command writes. Counting its folder is slow and asking the file system for its free space is not: the
 * folder is counted when as much free space is gone as the command may still take, whoever took it.
 */
export class DiskUse {
  readonly #folder: string;
  readonly #limits: DiskLimits;
  /** Below these it has to be counted again. */
  #bytesMark = 0;
  #entriesMark = 0;
  #isCounted = false;

  constructor(folder: string, limits: DiskLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** Why the command has to be stopped; undefined while it has not. */
  async excess(): Promise<string | undefined> {
    const { maxBytes, maxEntries } = this.#limits;
    const { bavail, bsize, ffree, files } = await statfs(this.#folder);
    const freeBytes = bavail * bsize;
    // File systems that do not count inodes tell of none.
    const freeEntries = files === 0 ? Number.POSITIVE_INFINITY : ffree;
    if (freeBytes < floorBytes) {
      return 'the disk for files of commands is full';
    }
    if (this.#isCounted && freeBytes > this.#bytesMark && freeEntries > this.#entriesMark) {
      return undefined;
    }
    const { bytes, entries } = await count(this.#folder, this.#limits);
    this.#isCounted = true;
    this.#bytesMark = freeBytes - (maxBytes - bytes);
    this.#entriesMark = freeEntries - (maxEntries - entries);
    if (bytes > maxBytes) {
      return `its files are over ${Math.floor(maxBytes / 1024 / 1024)} MiB`;
    }
    return entries > maxEntries
      ? `it has made more than ${maxEntries} files, or folders that can not be entered`
      : undefined;
  }
}

/** Bytes of a path that system calls take. What lies deeper can not be counted. */
const maxPathBytes = 4000;

/**
 * Bytes and entries of a folder that others change meanwhile; ends early beyond the limits. A folder that was swapped for a
 * link while it is entered gives wrong numbers and nothing else. What can not be entered counts as too much.
 */
async function count(root: string, { maxBytes, maxEntries }: DiskLimits): Promise<{ bytes: number; entries: number }> {
  let bytes = 0;
  let entries = 0;
  const rest: Buffer[] = [Buffer.from(root)];
  for (let folder = rest.pop(); folder !== undefined; folder = rest.pop()) {
    const names = await rawEntries(folder).catch(errorCodeOf);
    if (typeof names === 'string' && names !== 'ENOENT' && names !== 'ENOTDIR') {
      return { bytes, entries: Number.POSITIVE_INFINITY };
    }
    for await (const entry of typeof names === 'object' ? names : []) {
      entries += 1;
      const path = Buffer.concat([folder, separator, entry.name]);
      if (bytes > maxBytes || entries > maxEntries || path.length > maxPathBytes) {
        return { bytes, entries: path.length > maxPathBytes ? Number.POSITIVE_INFINITY : entries };
      }
      if (entry.isDirectory()) {
        rest.push(path);
      } else {
        bytes += ((await lstat(path).catch(() => undefined))?.blocks ?? 0) * 512;
      }
    }
  }
  return { bytes, entries };
}

const separator = Buffer.from('/');
