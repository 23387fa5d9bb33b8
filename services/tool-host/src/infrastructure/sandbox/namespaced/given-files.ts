import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { concurrently, DomainError } from '@spanwise/kernel';
import type { FileInfo, Files } from '@spanwise/tool-kit/contract';
import { hasReason } from '../../../domain/files/file-errors.ts';
import type { Binding } from './bwrap-arguments.ts';
import { errorCodeOf } from './error-code.ts';
import type { Notices } from './notices.ts';
import { foldersAbove, isWithin } from './view-names.ts';
import type { PlannedMount } from './view-plan.ts';

/** A file that a command was given. */
export interface GivenFile {
  /** Of the version that it was given. */
  readonly etag: string;
  /** SHA-256. */
  readonly hash: string;
  /** As it lay there before the command began: see {@link identityOf}. */
  readonly identity: string;
}

/** A writable mount as a command was given it. */
export interface GivenMount {
  readonly path: string;
  /** Folder of the host in which it lies. */
  readonly source: string;
  readonly files: ReadonlyMap<string, GivenFile>;
  readonly directories: ReadonlySet<string>;
  /** Paths in it where other mounts are: nothing of this one is there. */
  readonly mountPoints: ReadonlySet<string>;
}

/** What a command was given of its view. */
export interface GivenView {
  readonly mounts: readonly GivenMount[];
  readonly bindings: readonly Binding[];
}

const readsAtOnce = 16;
/** How much is asked for at once, at most what the file service gives. */
const sliceBytes = 8 * 1024 * 1024;
/** How often a file is read again because it changed between two slices. */
const maxAttempts = 3;

/** Stays the same for as long as nobody touches a file: who is not root can not set the time of its last change back. */
export function identityOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [ino, size, mtimeNs, ctimeNs].join('-');
}

export interface GiveFilesDeps {
  readonly files: Files;
  /** Private folder of the command. */
  readonly folder: string;
  /** Makes a path the command's own. */
  readonly give: (path: string) => Promise<void>;
  readonly giveHandle: (handle: FileHandle) => Promise<void>;
  readonly notices: Notices;
}

/** Copies what was planned into the command's folder, where nobody else is yet. */
export async function giveFiles(deps: GiveFilesDeps, planned: readonly PlannedMount[]): Promise<GivenView> {
  const mounts: GivenMount[] = [];
  const bindings: Binding[] = [];
  for (const [index, mount] of planned.entries()) {
    const source = join(deps.folder, `mount-${index}`);
    const nested = planned.filter(({ path }) => path !== mount.path && isWithin(path, mount.path));
    const mountPoints = new Set(nested.map(({ path }) => path));
    const under = [...mountPoints].flatMap((path) => [...foldersAbove(path), path]);
    const needed = under.filter((path) => path !== mount.path && isWithin(path, mount.path));
    const directories = new Set([...mount.directories, ...needed]);
    await makeFolder(deps, source);
    for (const path of [...directories].sort()) {
      await unlessTooLong(deps, path, makeFolder(deps, locate(source, mount.path, path)));
    }
    const files = new Map<string, GivenFile>();
    await concurrently(mount.files, readsAtOnce, async (file) => {
      const given = await unlessTooLong(deps, file.path, giveFile(deps, file, locate(source, mount.path, file.path)));
      if (given !== undefined) {
        files.set(file.path, given);
      }
    });
    bindings.push({ source, path: mount.path, isReadOnly: mount.isReadOnly });
    if (!mount.isReadOnly) {
      mounts.push({ path: mount.path, source, files, directories, mountPoints });
    }
  }
  return { mounts, bindings };
}

function locate(source: string, mountPath: string, path: string): string {
  return `${source}${path.slice(mountPath.length)}`;
}

async function makeFolder({ give }: GiveFilesDeps, path: string): Promise<void> {
  await mkdir(path, { mode: 0o755 });
  await give(path);
}

/** Undefined when the file is gone meanwhile, or never stands still. */
async function giveFile(deps: GiveFilesDeps, file: FileInfo, location: string): Promise<GivenFile | undefined> {
  await using handle = await open(location, 'wx', 0o644);
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const copied = await copy(deps.files, file.path, handle);
    if (copied === 'gone' || copied === 'denied') {
      await unlink(location);
      if (copied === 'denied') {
        deps.notices.addPath('Rules keep commands from reading these, and they were left out', file.path);
      }
      return undefined;
    }
    if (copied === 'changed') {
      continue;
    }
    if (copied.isProgram) {
      await handle.chmod(0o755);
    }
    await deps.giveHandle(handle);
    return { ...copied, identity: identityOf(await handle.stat({ bigint: true })) };
  }
  await unlink(location);
  deps.notices.addPath('Changed all the time while they were read, and were left out', file.path);
  return undefined;
}

type Copied =
  | { readonly etag: string; readonly hash: string; readonly isProgram: boolean }
  | 'gone'
  | 'denied'
  | 'changed';

async function copy(files: Files, path: string, handle: FileHandle): Promise<Copied> {
  const hash = createHash('sha256');
  let etag: string | undefined;
  let isProgram = false;
  for (let offset = 0; ; ) {
    const slice = await files.read(path, { offset, length: sliceBytes }).catch(whyNot);
    if (typeof slice === 'string') {
      return slice;
    }
    const { data, file } = slice;
    if (etag !== undefined && etag !== file.etag) {
      await handle.truncate(0);
      return 'changed';
    }
    etag = file.etag;
    // A view knows no modes: what begins like a program can be run.
    isProgram ||= offset === 0 && /^(?:#!|\x7fELF)/.test(Buffer.from(data.subarray(0, 4)).toString('latin1'));
    hash.update(data);
    await handle.write(data, 0, data.length, offset);
    offset += data.length;
    if (data.length === 0 || offset >= file.size) {
      return { etag, hash: hash.digest('hex'), isProgram };
    }
  }
}

function whyNot(error: unknown): 'gone' | 'denied' {
  if (hasReason(error, 'FILE_NOT_FOUND', 'NOT_A_FILE')) {
    return 'gone';
  }
  if (error instanceof DomainError && error.reason === 'TOOL_DENIED') {
    return 'denied';
  }
  throw error;
}

/** A path that is fine in a view can be too long below a folder of the host; then what lies below it is missing, too. */
async function unlessTooLong<Result>({ notices }: GiveFilesDeps, path: string, work: Promise<Result>) {
  try {
    return await work;
  } catch (error) {
    const code = errorCodeOf(error);
    if (code !== 'ENAMETOOLONG' && code !== 'ENOENT') {
      throw error;
    }
    notices.addPath('The path is too long for commands, and left out', path);
    return undefined;
  }
}
