import { DomainError } from '@spanwise/kernel';
import type { Caller } from '../domain/disk/caller.ts';
import { isDiskUnavailable } from '../domain/disk/disk-errors.ts';
import { FileError } from '../domain/disk/file-errors.ts';
import type { ByteRange, DiskNode, FileStore, WriteGuard } from '../domain/disk/file-store.ts';
import { type Base, baseOf, isChange, type LayerEntry } from '../domain/layer/layer-entry.ts';
import { type Conflict, conflictOf } from '../domain/layer/publishing.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import { nodeWith } from './file-content.ts';
import type { ViewLayer } from './ports/layers.ts';

/** An entry for a disk that is written file by file. */
export interface OtherItem {
  readonly store: FileStore;
  /** The path on the disk. */
  readonly inner: VirtualPath;
  readonly entry: LayerEntry;
}

export interface PublishFilesDeps {
  readonly layer: ViewLayer;
  readonly caller: Caller;
  /** True: over what others have written. */
  readonly overwrites: boolean;
  readonly signal: AbortSignal;
}

/** What could not be published. */
export interface LeftFiles {
  readonly conflicts: readonly Conflict[];
  readonly unpublished: readonly VirtualPath[];
}

/** How many entries are done before the layer is told. */
const batchSize = 64;

/**
 * Publishes entries to disks that can not join a transaction, each only over what the run has found. An entry leaves the
 * layer once it is done: who begins again goes on there, and takes what it has done already as done.
 */
export class PublishFiles {
  readonly #deps: PublishFilesDeps;

  constructor(deps: PublishFilesDeps) {
    this.#deps = deps;
  }

  /** What is in the way now; nothing is changed. */
  async conflicts(items: readonly OtherItem[]): Promise<readonly Conflict[]> {
    const { caller, signal, overwrites } = this.#deps;
    const conflicts: Conflict[] = [];
    for (const { store, inner, entry } of overwrites ? [] : items.filter((item) => isChange(item.entry))) {
      const conflict = conflictOf(entry, await store.stat(caller, inner, signal));
      conflicts.push(...(conflict === undefined ? [] : [conflict]));
    }
    return conflicts;
  }

  /** Throws DISK_UNAVAILABLE; what was done until then is done. `items` come with each directory before what is in it. */
  async publish(items: readonly OtherItem[]): Promise<LeftFiles> {
    const conflicts: Conflict[] = [];
    const unpublished: VirtualPath[] = [];
    const blocked = new Set<string>();
    const done: VirtualPath[] = [];
    const settle = async (least: number) => {
      if (done.length >= least) {
        await this.#deps.layer.settle(done.splice(0));
      }
    };
    const attempt = async (item: OtherItem, work: () => Promise<unknown>) => {
      const { path } = item.entry;
      this.#deps.signal.throwIfAborted();
      try {
        await work();
        return true;
      } catch (error) {
        const conflict = await this.#explain(item, error);
        conflicts.push(...(conflict === undefined ? [] : [conflict]));
        unpublished.push(path);
        blocked.add(path.text);
        return false;
      }
    };
    const removals = items.filter(({ entry }) => isRemoval(entry)).toReversed();
    for (const item of removals) {
      if ((await attempt(item, () => this.#remove(item))) && item.entry.node.kind === 'whiteout') {
        done.push(item.entry.path);
        await settle(batchSize);
      }
    }
    for (const item of items.filter(({ entry }) => entry.node.kind !== 'whiteout' && !blocked.has(entry.path.text))) {
      if (!isChange(item.entry) || (await attempt(item, () => this.#put(item)))) {
        done.push(item.entry.path);
        await settle(batchSize);
      }
    }
    await settle(1);
    return { conflicts, unpublished };
  }

  async #remove({ store, inner, entry }: OtherItem): Promise<void> {
    const { caller, signal, overwrites } = this.#deps;
    const now = await store.stat(caller, inner, signal);
    if (now === undefined || (entry.node.kind !== 'whiteout' && isKindOf(entry, now))) {
      return;
    }
    const isGuarded = !overwrites && now.kind === 'file' && store.capabilities.ifMatch && entry.base.kind === 'file';
    const guard = isGuarded ? { ifMatch: entry.base.etag } : {};
    await store.remove(caller, inner, { isRecursive: overwrites, ...guard }, signal);
  }

  async #put({ store, inner, entry }: OtherItem): Promise<void> {
    const { caller, signal, layer } = this.#deps;
    const { node, base } = entry;
    if (node.kind !== 'file') {
      await store.makeDirectory(caller, inner, signal);
      return;
    }
    const { data = new Uint8Array() } = (await layer.read(entry.path, { offset: 0, length: node.size }, signal)) ?? {};
    try {
      await store.write(caller, inner, data, this.#guard(store, base), signal);
    } catch (error) {
      if (!(await this.#isWritten(store, inner, data, error))) {
        throw error;
      }
    }
  }

  #guard({ capabilities }: FileStore, base: Base): WriteGuard {
    if (this.#deps.overwrites) {
      return {};
    }
    if (base.kind === 'file') {
      return capabilities.ifMatch ? { ifMatch: base.etag } : {};
    }
    return capabilities.createOnly ? { createOnly: true } : {};
  }

  /** Whether a write meets what it has written itself, before its process died. */
  async #isWritten(store: FileStore, inner: VirtualPath, data: Uint8Array, error: unknown): Promise<boolean> {
    const { caller, signal } = this.#deps;
    if (!(error instanceof FileError)) {
      return false;
    }
    const files = {
      stat: (path: VirtualPath) => store.stat(caller, path, signal),
      read: (path: VirtualPath, range: ByteRange) => store.read(caller, path, range, signal),
    };
    return (await nodeWith(files, inner, data, signal)) !== undefined;
  }

  /** The conflict behind a failure; undefined for what else a disk refuses. Throws what may be over when it is tried again. */
  async #explain({ store, inner, entry }: OtherItem, error: unknown): Promise<Conflict | undefined> {
    if (!(error instanceof DomainError) || isDiskUnavailable(error) || error.kind === 'unavailable') {
      throw error;
    }
    const { caller, signal } = this.#deps;
    return error instanceof FileError ? conflictOf(entry, await store.stat(caller, inner, signal)) : undefined;
  }
}

/** Whether something has to go before the entry can be there. */
function isRemoval({ node, base }: LayerEntry): boolean {
  return node.kind === 'whiteout' || (base.kind !== 'none' && base.kind !== node.kind);
}

function isKindOf({ node }: LayerEntry, now: DiskNode): boolean {
  return node.kind === baseOf(now).kind;
}
