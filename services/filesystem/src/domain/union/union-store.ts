import type { Caller } from '../disk/caller.ts';
import { fileNotFound, notADirectory, notAFile } from '../disk/file-errors.ts';
import type {
  ByteRange,
  DiskEntry,
  DiskNode,
  DiskPage,
  FileSlice,
  ListRequest,
  ReadableStore,
} from '../disk/file-store.ts';
import { compareNames } from '../path/name-order.ts';
import type { VirtualPath } from '../path/virtual-path.ts';
import type { UnionSource } from './union-source.ts';

/** What a union shows at a path, and the sources that it comes from: one for a file, all that are merged for a directory. */
interface Found {
  readonly node: DiskNode;
  readonly sources: readonly UnionSource[];
}

const rootNode: DiskNode = { kind: 'directory', modifyTimeMs: undefined };

/**
 * Several directories as one. Each segment of a path is looked up from the top: a file hides all that lower sources have
 * there, a directory is merged with theirs down to the first one that has something else.
 */
export class UnionStore implements ReadableStore {
  readonly #sources: readonly UnionSource[];

  /** Highest priority first. */
  constructor(sources: readonly UnionSource[]) {
    this.#sources = sources;
  }

  async stat(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    return (await this.#find(caller, path, signal))?.node;
  }

  async list(caller: Caller, path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<DiskPage> {
    const { node, sources } = await this.#existing(caller, path, signal);
    if (node.kind !== 'directory') {
      throw notADirectory(path);
    }
    const pages = await Promise.all(sources.map((source) => source.list(caller, path, request, signal)));
    return mergePages(pages, request.limit);
  }

  async read(caller: Caller, path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<FileSlice> {
    const { node, sources } = await this.#existing(caller, path, signal);
    const [source] = sources;
    if (node.kind !== 'file' || source === undefined) {
      throw notAFile(path);
    }
    return source.read(caller, path, range, signal);
  }

  async #existing(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<Found> {
    const found = await this.#find(caller, path, signal);
    if (found === undefined) {
      throw fileNotFound(path);
    }
    return found;
  }

  async #find(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<Found | undefined> {
    const ask = async (source: UnionSource) => ({ source, trail: await source.trail(caller, path, signal) });
    const trails = await Promise.all(this.#sources.map(ask));
    let found: Found = { node: rootNode, sources: this.#sources };
    for (const depth of path.segments.keys()) {
      const next = foundAt(
        trails.filter(({ source }) => found.sources.includes(source)),
        depth,
      );
      if (next === undefined || (next.node.kind === 'file' && depth < path.segments.length - 1)) {
        return undefined;
      }
      found = next;
    }
    return found;
  }
}

interface Trail {
  readonly source: UnionSource;
  readonly trail: readonly DiskNode[];
}

/** What the sources, which all show the directory above, show together at one segment of a path. */
function foundAt(trails: readonly Trail[], depth: number): Found | undefined {
  const merged: UnionSource[] = [];
  let top: DiskNode | undefined;
  for (const { source, trail } of trails) {
    const node = trail[depth];
    if (node === undefined) {
      continue;
    }
    if (node.kind === 'file') {
      return top === undefined ? { node, sources: [source] } : { node: top, sources: merged };
    }
    top ??= node;
    merged.push(source);
  }
  return top && { node: top, sources: merged };
}

/** One page of the pages that sources have from the same name on, highest priority first. */
function mergePages(pages: readonly DiskPage[], limit: number): DiskPage {
  const ends = pages.flatMap(({ next }) => next ?? []).toSorted(compareNames);
  // Beyond the first page that ends, its source is not known.
  const [end] = ends;
  const shown = new Map<string, DiskEntry>();
  for (const entry of pages.flatMap(({ entries }) => entries)) {
    if (!shown.has(entry.name) && (end === undefined || compareNames(entry.name, end) <= 0)) {
      shown.set(entry.name, entry);
    }
  }
  const entries = [...shown.values()].toSorted((left, right) => compareNames(left.name, right.name));
  return entries.length <= limit
    ? { entries, next: end }
    : { entries: entries.slice(0, limit), next: entries[limit - 1]?.name };
}
