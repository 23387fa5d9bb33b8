import { concurrently } from '@spanwise/kernel';
import type { FileInfo, FileMount, Files } from '@spanwise/tool-kit/contract';
import { fileError } from '../../../domain/files/file-errors.ts';
import { viewTooLarge } from './namespaced-errors.ts';
import type { Notices } from './notices.ts';
import { takenNames } from './system-folders.ts';
import { foldersAbove, isViewName, isWithin } from './view-names.ts';

/** How much of a view a command is given. */
export interface ViewLimits {
  readonly maxFiles: number;
  readonly maxBytes: number;
}

/** 20,000 files and directories, 256 MiB. */
export const defaultViewLimits: ViewLimits = { maxFiles: 20_000, maxBytes: 256 * 1024 * 1024 };

/** Read-only mounts have this part of the limits, in the order of their paths: what does not fit is left out. */
const readOnlyShare = 0.25;
const listsAtOnce = 8;

/** What of a mount a command is given. */
export interface PlannedMount extends FileMount {
  /** Below the mount, those above first. */
  readonly directories: readonly string[];
  readonly files: readonly FileInfo[];
}

/**
 * Chooses what of the view a command is given: writable mounts as a whole; when they are over the limits only the folder in
 * which the command starts, and what is above it; and read-only ones as far as they fit. What is left out is told. Throws
 * FILE_TOO_LARGE when the folder is over the limits, FILE_NOT_FOUND and NOT_A_DIRECTORY for a folder that is none.
 */
export async function planView(
  files: Files,
  cwd: string,
  limits: ViewLimits,
  notices: Notices,
): Promise<readonly PlannedMount[]> {
  const mounts = (await files.mounts()).filter((mount) => isPossible(mount, notices));
  const paths = mounts.map(({ path }) => path);
  const lister = new Lister(files, paths, notices);
  const planned: PlannedMount[] = [];
  const writable = mounts.filter(({ isReadOnly }) => !isReadOnly);
  const whole = await lister.list(writable, limits);
  if (whole !== undefined) {
    planned.push(...whole);
  } else {
    planned.push(...(await planSubfolder(lister, writable, cwd, limits)));
    notices.add(`Only ${cwd} was given to the command: all files together are over its limits.`);
  }
  let rest = { maxFiles: limits.maxFiles * readOnlyShare, maxBytes: limits.maxBytes * readOnlyShare };
  for (const mount of mounts.filter(({ isReadOnly }) => isReadOnly)) {
    const [listed] = (await lister.list([mount], rest)) ?? [];
    if (listed === undefined) {
      notices.addPath('Too large for commands, and left out', mount.path);
      continue;
    }
    planned.push(listed);
    rest = {
      maxFiles: rest.maxFiles - listed.files.length - listed.directories.length,
      maxBytes: rest.maxBytes - listed.files.reduce((sum, { size }) => sum + size, 0),
    };
  }
  await assertStart(files, cwd, planned);
  return planned.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function isPossible({ path }: FileMount, notices: Notices): boolean {
  const first = path.split('/')[1] ?? '';
  const isFree = first !== '' && !takenNames.has(first);
  if (!isFree) {
    notices.addPath('The place is taken in commands, and its files are left out', path);
  }
  return isFree;
}

async function planSubfolder(
  lister: Lister,
  writable: readonly FileMount[],
  cwd: string,
  limits: ViewLimits,
): Promise<readonly PlannedMount[]> {
  const mount = writable.filter(({ path }) => isWithin(cwd, path)).sort((a, b) => b.path.length - a.path.length)[0];
  if (mount === undefined || mount.path === cwd) {
    throw viewTooLarge(mount?.path ?? 'the workspace', limits);
  }
  const [folder] = (await lister.list([{ ...mount, path: cwd }], limits)) ?? [];
  if (folder === undefined) {
    throw viewTooLarge(cwd, limits);
  }
  const above = foldersAbove(cwd).filter((path) => isWithin(path, mount.path) && path !== mount.path);
  const empty = writable.filter((each) => each !== mount).map((each) => ({ ...each, directories: [], files: [] }));
  return [...empty, { ...mount, directories: [...above, cwd, ...folder.directories], files: folder.files }];
}

/** The folder in which the command starts is one that it has. */
async function assertStart(files: Files, cwd: string, planned: readonly PlannedMount[]): Promise<void> {
  const isThere =
    cwd === '/' ||
    cwd === '/tmp' ||
    planned.some(({ path, directories }) => isWithin(path, cwd) || directories.includes(cwd));
  if (!isThere) {
    const { kind } = await files.stat(cwd);
    throw fileError(kind === 'file' ? 'NOT_A_DIRECTORY' : 'FILE_NOT_FOUND', { path: cwd });
  }
}

class Lister {
  readonly #files: Files;
  readonly #mounts: readonly string[];
  readonly #notices: Notices;
  readonly #partial = new Set<string>();

  constructor(files: Files, mounts: readonly string[], notices: Notices) {
    this.#files = files;
    this.#mounts = mounts;
    this.#notices = notices;
  }

  /** All that is in these mounts, without those that lie in them; undefined when it is over the limits. */
  async list(mounts: readonly FileMount[], { maxFiles, maxBytes }: ViewLimits): Promise<PlannedMount[] | undefined> {
    const planned = mounts.map((mount) => ({ ...mount, directories: [] as string[], files: [] as FileInfo[] }));
    let entries = 0;
    let bytes = 0;
    let level = planned.map((plan) => ({ plan, path: plan.path }));
    while (level.length > 0) {
      const next: typeof level = [];
      await concurrently(level, listsAtOnce, async ({ plan, path }) => {
        for await (const entry of this.#entries(path)) {
          entries += 1;
          bytes += entry.size;
          if (entries > maxFiles || bytes > maxBytes) {
            return;
          }
          if (entry.kind === 'file') {
            plan.files.push(entry);
          } else {
            plan.directories.push(entry.path);
            next.push({ plan, path: entry.path });
          }
        }
      });
      if (entries > maxFiles || bytes > maxBytes) {
        return undefined;
      }
      level = next;
    }
    return planned;
  }

  async *#entries(path: string): AsyncGenerator<FileInfo> {
    let pageToken = '';
    do {
      const page = await this.#files.list(path, { pageSize: 1000, pageToken });
      for (const source of page.partialSources) {
        this.#tellPartial(source);
      }
      for (const entry of page.entries) {
        const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
        if (isViewName(name) && !this.#mounts.includes(entry.path)) {
          yield entry;
        }
      }
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  #tellPartial(source: string): void {
    if (!this.#partial.has(source)) {
      this.#partial.add(source);
      this.#notices.add(`The disk ${source} could not be reached: its files are missing in the command.`);
    }
  }
}
