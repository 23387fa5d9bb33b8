import type { Caller } from '../../domain/disk/caller.ts';
import type { DirectoryNode, DiskNode, FileStore, WriteOutcome } from '../../domain/disk/file-store.ts';
import { isVersioned } from '../../domain/disk/versioned-store.ts';
import type { VirtualPath } from '../../domain/path/virtual-path.ts';
import { type PathDifference, seenNodeOf } from '../../domain/watching/path-difference.ts';
import type { ChangeHub } from './change-hub.ts';

type Write = FileStore['write'];
type Remove = FileStore['remove'];
type Rename = FileStore['rename'];
type MakeDirectory = FileStore['makeDirectory'];

/**
 * The same disk, whose changes are told to the watchers of this process. One that numbers its changes is answered as it is:
 * its watchers look at the numbers.
 */
export function tellingDisk<Disk extends FileStore>(name: string, disk: Disk, hub: ChangeHub): Disk {
  if (isVersioned(disk)) {
    return disk;
  }
  const told = new TellingChanges(name, disk, hub);
  const changes: Partial<FileStore> = {
    write: (...args) => told.write(...args),
    remove: (...args) => told.remove(...args),
    rename: (...args) => told.rename(...args),
    makeDirectory: (...args) => told.makeDirectory(...args),
  };
  return new Proxy(disk, {
    get(target, property) {
      const change: unknown = Reflect.get(changes, property);
      const value: unknown = change ?? Reflect.get(target, property, target);
      // What a disk does, it does on itself: its private fields are not those of the proxy.
      return change === undefined && typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

class TellingChanges {
  readonly #name: string;
  readonly #disk: FileStore;
  readonly #hub: ChangeHub;

  constructor(name: string, disk: FileStore, hub: ChangeHub) {
    this.#name = name;
    this.#disk = disk;
    this.#hub = hub;
  }

  async write(...[caller, path, data, guard, signal]: Parameters<Write>): Promise<WriteOutcome> {
    const missing = await this.#missing(caller, path.parent, signal);
    const outcome = await this.#disk.write(caller, path, data, guard, signal);
    const before = outcome.isCreated ? undefined : ({ kind: 'file', etag: '' } as const);
    this.#tell([...missing, { path, before, after: seenNodeOf(outcome.node) }]);
    return outcome;
  }

  async remove(...[caller, path, request, signal]: Parameters<Remove>): Promise<void> {
    const before = await this.#before(caller, path, signal);
    await this.#disk.remove(caller, path, request, signal);
    this.#tell([{ path, before: seenNodeOf(before), after: undefined }]);
  }

  async rename(...[caller, from, to, signal]: Parameters<Rename>): Promise<DiskNode> {
    const missing = await this.#missing(caller, to.parent, signal);
    const node = await this.#disk.rename(caller, from, to, signal);
    const seen = seenNodeOf(node);
    this.#tell([
      ...missing,
      { path: from, before: seen, after: undefined },
      { path: to, before: undefined, after: seen },
    ]);
    return node;
  }

  async makeDirectory(...[caller, path, signal]: Parameters<MakeDirectory>): Promise<DirectoryNode> {
    const missing = await this.#missing(caller, path, signal);
    const node = await this.#disk.makeDirectory(caller, path, signal);
    this.#tell(missing);
    return node;
  }

  /** Directories that a change is about to make. */
  async #missing(caller: Caller, directory: VirtualPath, signal: AbortSignal): Promise<PathDifference[]> {
    const missing: PathDifference[] = [];
    for (let path = directory; !path.isRoot; path = path.parent) {
      if (!this.#hub.isFollowed(this.#name) || (await this.#before(caller, path, signal)) !== undefined) {
        break;
      }
      missing.push({ path, before: undefined, after: { kind: 'directory' } });
    }
    return missing;
  }

  /** What is there before a change; it is only a watcher that misses it. */
  async #before(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    if (!this.#hub.isFollowed(this.#name)) {
      return undefined;
    }
    return this.#disk.stat(caller, path, signal).catch(() => undefined);
  }

  #tell(differences: readonly PathDifference[]): void {
    if (differences.length > 0) {
      this.#hub.touched(this.#name, differences);
    }
  }
}
