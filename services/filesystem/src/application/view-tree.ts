import type { Access } from '../domain/access/access.ts';
import type { GrantCaller } from '../domain/access/grants.ts';
import type { Operation } from '../domain/access/operation.ts';
import type { Caller } from '../domain/disk/caller.ts';
import { FileError } from '../domain/disk/file-errors.ts';
import type { DirectoryNode, DiskEntry, DiskNode, DiskPage, ListRequest } from '../domain/disk/file-store.ts';
import { viewClosed } from '../domain/layer/layer-errors.ts';
import { compareNames } from '../domain/path/name-order.ts';
import { isFirstSegment, VirtualPath } from '../domain/path/virtual-path.ts';
import type { Mount } from '../domain/view/mount.ts';
import type { SessionView } from '../domain/view/session-view.ts';
import { mountReadOnly } from '../domain/view/view-errors.ts';
import type { MountedDisk } from './mounted-disk.ts';
import type { MountedFiles } from './mounted-files.ts';
import { type OpenLayer, ViewDisks, type ViewDisksOptions } from './view-disks.ts';

/** An entry of a directory of a view. */
export interface TreeEntry extends DiskEntry {
  readonly path: VirtualPath;
}

/** A page of a directory; see {@link DiskPage}. */
export interface TreePage {
  readonly entries: readonly TreeEntry[];
  readonly next: string | undefined;
}

/** What no disk backs: a mount whose directory was not made yet, and the directories above mounts. */
export const fixedDirectory: DirectoryNode = { kind: 'directory', modifyTimeMs: undefined };

export interface ViewTreeOptions extends ViewDisksOptions {
  readonly access: Access;
}

/** A view as its owner sees it: the mounts, and the directories above them, make one tree. */
export class ViewTree {
  readonly view: SessionView;
  /** Undefined for a view without a layer. */
  readonly layer: OpenLayer | undefined;
  /** What is behind its mounts. */
  readonly disks: ViewDisks;
  readonly #access: Access;
  readonly #who: GrantCaller;

  constructor(view: SessionView, caller: Caller, options: ViewTreeOptions) {
    this.view = view;
    this.layer = options.layer;
    this.disks = new ViewDisks(view, caller, options);
    this.#access = options.access;
    this.#who = { uid: view.uid, sessionId: view.sessionId, service: caller.service };
  }

  /** Disks of optional sources that could not be reached so far: what was found is without what they have. */
  get partialSources(): readonly string[] {
    return [...this.disks.missing];
  }

  /**
   * The files behind a path, to be read; undefined for a directory above mounts. Throws FILE_NOT_FOUND, NOT_GRANTED or
   * DISK_UNAVAILABLE.
   */
  filesAt(path: VirtualPath): MountedFiles | undefined {
    this.assertMay('read', path);
    return this.#filesAt(path);
  }

  #filesAt(path: VirtualPath): MountedFiles | undefined {
    const mount = this.disks.mountAt(path);
    if (mount === undefined) {
      return undefined;
    }
    return this.disks.toRead(mount);
  }

  /**
   * The disk behind a path, to be changed. Throws FILE_NOT_FOUND, MOUNT_READ_ONLY, VIEW_CLOSED when the run of the view is
   * over, PATH_PROTECTED, NOT_GRANTED or DISK_UNAVAILABLE.
   */
  diskToChange(path: VirtualPath, operation: 'write' | 'delete' = 'write'): MountedDisk | undefined {
    const mount = this.disks.mountAt(path);
    if (mount?.isReadOnly === true && !this.#isWriter(mount)) {
      throw mountReadOnly(path, mount);
    }
    if (this.layer !== undefined && this.layer.head.state !== 'OPEN') {
      throw viewClosed();
    }
    if (mount === undefined) {
      return undefined;
    }
    this.#access.protectedNames.assertMayChange(path, mount.path);
    this.assertMay(operation, path);
    const disk = this.disks.toChange(mount);
    if (disk === undefined) {
      throw mountReadOnly(path, mount);
    }
    return disk;
  }

  #isWriter({ writer }: Mount): boolean {
    return writer !== undefined && writer === this.#who.service;
  }

  mayRead(path: VirtualPath): boolean {
    return this.#access.grants.may('read', this.#who, path);
  }

  /** Throws NOT_GRANTED when the configuration does not let the user do this. */
  assertMay(operation: Operation, path: VirtualPath): void {
    this.#access.grants.assertMay(operation, this.#who, path);
  }

  /**
   * For what takes a whole directory away, or brings it to `to`. Throws NOT_GRANTED or PATH_PROTECTED for whatever in it may
   * not be read, deleted or written there.
   */
  async assertMayTake(from: VirtualPath, to: VirtualPath | undefined, signal: AbortSignal): Promise<void> {
    const { grants, protectedNames } = this.#access;
    const operations: readonly Operation[] = to === undefined ? ['delete'] : ['read', 'delete'];
    const holds = (path: VirtualPath) => {
      return protectedNames.mayHoldProtected(path, this.view.mountOf(path)?.path ?? VirtualPath.root);
    };
    const isFree = (path: VirtualPath, each: Operation) => grants.mayAll(each, this.#who, path) && !holds(path);
    if (operations.every((each) => isFree(from, each)) && (to === undefined || isFree(to, 'write'))) {
      return;
    }
    for await (const path of this.#pathsAt(from, signal)) {
      operations.forEach((each) => this.assertMay(each, path));
      protectedNames.assertMayChange(path, this.view.mountOf(path)?.path ?? VirtualPath.root);
      if (to !== undefined) {
        const moved = path.relativeTo(from).below(to);
        this.assertMay('write', moved);
        protectedNames.assertMayChange(moved, this.view.mountOf(moved)?.path ?? VirtualPath.root);
      }
    }
  }

  /** A path and all below it, whoever may see it. */
  async *#pathsAt(path: VirtualPath, signal: AbortSignal): AsyncGenerator<VirtualPath> {
    yield path;
    const files = this.#filesAt(path);
    if ((await files?.stat(path, signal))?.kind !== 'directory') {
      return;
    }
    for (let after: string | undefined = ''; after !== undefined && files !== undefined; ) {
      const page: DiskPage = await files.list(path, { after, limit: 500, withEtags: false }, signal);
      for (const { name } of page.entries) {
        const child = path.entry(name);
        if (child !== undefined) {
          yield* this.#pathsAt(child, signal);
        }
      }
      after = page.next;
    }
  }

  /** Throws as {@link ViewTree.filesAt} does. */
  async stat(path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    if (!this.#isVisible(path)) {
      this.assertMay('read', path);
    }
    const files = this.#filesAt(path);
    return files === undefined || this.view.isFixed(path) ? fixedDirectory : files.stat(path, signal);
  }

  /**
   * A page of a directory, with the mounts that lie in it and without what no path leads to.
   * Throws FILE_NOT_FOUND, NOT_A_DIRECTORY or NOT_GRANTED.
   */
  async list(path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<TreePage> {
    this.assertMay('list', path);
    const files = this.#filesAt(path);
    const isFixed = this.view.isFixed(path);
    const page = await (files?.list(path, request, signal) ?? emptyPage).catch((error: unknown) => {
      // A fixed directory is one even before anything was written to its disk.
      if (isFixed && error instanceof FileError) {
        return emptyPage;
      }
      throw error;
    });
    const { entries, next } = isFixed ? withFixed(page, this.view.fixedNames(path), request) : page;
    const reachable = entries.flatMap((entry) => {
      const entryPath = path.entry(entry.name);
      const isUnreachable = entryPath === undefined || (path.isRoot && !isFirstSegment(entry.name));
      return isUnreachable || !this.#isVisible(entryPath) ? [] : [{ ...entry, path: entryPath }];
    });
    return { entries: reachable, next };
  }

  /** Whether its owner may know that there is something. */
  #isVisible(path: VirtualPath): boolean {
    const { grants } = this.#access;
    return grants.may('read', this.#who, path) || grants.may('list', this.#who, path);
  }
}

const emptyPage: Promise<DiskPage> = Promise.resolve({ entries: [], next: undefined });

/** Adds the fixed directories that belong on the page; they hide what the disk has under their names. */
function withFixed(page: DiskPage, names: readonly string[], { after, limit }: ListRequest): DiskPage {
  const { next } = page;
  const here = names.filter(
    (name) => (after === '' || compareNames(name, after) > 0) && (next === undefined || compareNames(name, next) <= 0),
  );
  const entries = [
    ...page.entries.filter(({ name }) => !here.includes(name)),
    ...here.map((name) => ({ name, node: fixedDirectory })),
  ].toSorted((left, right) => compareNames(left.name, right.name));
  return entries.length <= limit
    ? { entries, next }
    : { entries: entries.slice(0, limit), next: entries[limit - 1]?.name };
}
