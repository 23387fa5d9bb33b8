import type { BigIntStats, Dirent } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { concurrently } from '@spanwise/kernel';
import { errorCodeOf } from './error-code.ts';
import { type GivenMount, identityOf } from './given-files.ts';
import { HeldFolder } from './held-folder.ts';
import type { Notices } from './notices.ts';
import { rawEntries } from './raw-entries.ts';
import { decodeName, isViewName } from './view-names.ts';

/** What a command left in a mount. */
export interface LeftFiles {
  /** Files that can be taken over, and their {@link identityOf}. */
  readonly files: ReadonlyMap<string, string>;
  readonly directories: ReadonlySet<string>;
  /** Paths of which nothing is taken over, and nothing below them: in the view they stay what they are. */
  readonly kept: ReadonlySet<string>;
  /** Of the files that can be taken over. */
  readonly bytes: number;
  /** Names in all folders; looking ends beyond the limit. */
  readonly entries: number;
}

/** Segments of a path at most, as the file service has it. */
const maxSegments = 64;
const maxPathBytes = 4096;
/** Bytes that one write takes, as the file service has it. */
export const maxFileBytes = 8 * 1024 * 1024;
const setIdBits = 0o6000n;
const looksAtOnce = 16;

/**
 * Looks at what is in a mount after a command. Whoever made it may have planted anything: folders are held and entered by
 * descriptors, no link is followed, and only regular files with one name count.
 */
export async function lookAtLeftFiles(mount: GivenMount, maxEntries: number, notices: Notices): Promise<LeftFiles> {
  const look = new Look(mount, maxEntries, notices);
  await using root = await HeldFolder.open(mount.source);
  await look.into(root, mount.path);
  return look;
}

class Look implements LeftFiles {
  readonly files = new Map<string, string>();
  readonly directories = new Set<string>();
  readonly kept: Set<string>;
  bytes = 0;
  entries = 0;
  readonly #notices: Notices;
  readonly #maxEntries: number;

  constructor({ mountPoints }: GivenMount, maxEntries: number, notices: Notices) {
    this.kept = new Set(mountPoints);
    this.#maxEntries = maxEntries;
    this.#notices = notices;
  }

  async into(folder: HeldFolder, path: string): Promise<void> {
    const names: { name: string; isDirectory: boolean }[] = [];
    for await (const entry of await rawEntries(folder.location)) {
      this.entries += 1;
      if (this.entries > this.#maxEntries) {
        return;
      }
      const name = this.#nameOf(entry, path);
      if (name !== undefined && !this.kept.has(`${path}/${name}`)) {
        names.push({ name, isDirectory: entry.isDirectory() });
      }
    }
    await concurrently(
      names.filter(({ isDirectory }) => !isDirectory),
      looksAtOnce,
      ({ name }) => this.#file(folder, name, `${path}/${name}`),
    );
    for (const { name } of names.filter(({ isDirectory }) => isDirectory)) {
      await this.#directory(folder, name, `${path}/${name}`);
    }
  }

  /** A name that can be in a view; others are told. */
  #nameOf(entry: Dirent<Buffer>, folder: string): string | undefined {
    const name = decodeName(entry.name);
    if (name !== undefined && isViewName(name) && Buffer.byteLength(`${folder}/${name}`) <= maxPathBytes) {
      return name;
    }
    this.#notices.addPath(
      'Not taken over, because the name can not be in a view',
      `${folder}/${name ?? shownName(entry)}`,
    );
    return undefined;
  }

  async #file(folder: HeldFolder, name: string, path: string): Promise<void> {
    const stats = await lstat(folder.locate(name), { bigint: true });
    const flaw = flawOf(stats);
    if (flaw !== undefined) {
      this.kept.add(path);
      this.#notices.addPath(`Not taken over, because they are ${flaw}`, path);
      return;
    }
    if ((stats.mode & setIdBits) !== 0n) {
      this.#notices.addPath('Taken over without the bits that let a program run as its owner', path);
    }
    if (stats.size > maxFileBytes) {
      this.kept.add(path);
      this.#notices.addPath(`Not taken over, because they are larger than ${maxFileBytes / 1024 / 1024} MiB`, path);
      return;
    }
    this.bytes += Number(stats.size);
    this.files.set(path, identityOf(stats));
  }

  async #directory(folder: HeldFolder, name: string, path: string): Promise<void> {
    if (path.split('/').length - 1 >= maxSegments) {
      this.kept.add(path);
      this.#notices.addPath('Not taken over, because they are nested too deeply', path);
      return;
    }
    const entered = await folder.enter(name).catch(errorCodeOf);
    if (entered === undefined || typeof entered === 'string') {
      this.kept.add(path);
      this.#notices.addPath('Not taken over, because the folder can not be entered', path);
      return;
    }
    this.directories.add(path);
    await using held = entered;
    await this.into(held, path);
  }
}

function shownName({ name }: Dirent<Buffer>): string {
  return name.toString('latin1');
}

function flawOf(stats: BigIntStats): string | undefined {
  if (stats.isSymbolicLink()) {
    return 'symbolic links';
  }
  if (!stats.isFile()) {
    return 'no regular files';
  }
  return stats.nlink > 1n ? 'hard links' : undefined;
}
