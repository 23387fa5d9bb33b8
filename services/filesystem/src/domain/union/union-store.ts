import type { Caller } from '../disk/caller.ts';
import { fileNotFound, notADirectory, notAFile } from '../disk/file-errors.ts';
import type { ByteRange, DiskEntry, DiskNode, DiskPage, FileNode, FileSlice, ListRequest } from '../disk/file-store.ts';
import { type BlobFinder, isBlobSource } from '../layer/blob-source.ts';
import { compareNames } from '../path/name-order.ts';
import type { VirtualPath } from '../path/virtual-path.ts';
import type { LayerListEntry, LayerNode, LayerPage } from './layer-node.ts';
import type { UnionSource } from './union-source.ts';

/** What a union shows at a path, and the sources that it comes from: one for a file, all that are merged for a directory. */
export interface Found {
  readonly node: DiskNode;
  readonly sources: readonly UnionSource[];
}

const rootNode: DiskNode = { kind: 'directory', modifyTimeMs: undefined };

/**
 * Several directories as one. Each segment of a path is looked up from the top: a whiteout hides all that lower sources
 * have there, and so does a file; a directory is merged with theirs down to the first one that has something else, or down
 * to an opaque one.
 */
export class UnionStore implements BlobFinder {
  readonly #top: VirtualPath;
  readonly #sources: readonly UnionSource[];

  /** `top` is the directory that the union shows, with its path; `sources` come with the highest priority first. */
  constructor(top: VirtualPath, sources: readonly UnionSource[]) {
    this.#top = top;
    this.#sources = sources;
  }

  async stat(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    return (await this.find(caller, path, signal))?.node;
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

  async findBlob(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<FileNode | undefined> {
    const { node, sources } = (await this.find(caller, path, signal)) ?? {};
    const store = sources?.[0]?.store;
    return node?.kind === 'file' && store !== undefined && isBlobSource(store) ? node : undefined;
  }

  /** Undefined when nothing is there. */
  async find(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<Found | undefined> {
    const found = await this.trail(caller, path, signal);
    return found[path.segments.length - this.#top.segments.length];
  }

  /**
   * What the union shows on the way to a path: itself, then what is below it, as far as there is something, up to the path
   * or a file that is in the way.
   */
  async trail(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<readonly Found[]> {
    const ask = async (source: UnionSource) => ({ source, trail: await source.trail(caller, path, signal) });
    const trails = await Promise.all(this.#sources.map(ask));
    let last: Found = { node: rootNode, sources: this.#sources };
    const found = [last];
    for (let depth = 0; depth < path.segments.length - this.#top.segments.length; depth += 1) {
      const { sources } = last;
      const next = foundAt(
        trails.filter(({ source }) => sources.includes(source)),
        depth,
      );
      if (next === undefined || last.node.kind === 'file') {
        break;
      }
      found.push(next);
      last = next;
    }
    return found;
  }

  async #existing(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<Found> {
    const found = await this.find(caller, path, signal);
    if (found === undefined) {
      throw fileNotFound(path);
    }
    return found;
  }
}

interface Trail {
  readonly source: UnionSource;
  readonly trail: readonly LayerNode[];
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
    if (node.kind === 'whiteout') {
      break;
    }
    if (node.kind === 'file') {
      return top === undefined ? { node, sources: [source] } : { node: top, sources: merged };
    }
    top ??= withoutMarks(node);
    merged.push(source);
    if (node.isOpaque === true) {
      break;
    }
  }
  return top && { node: top, sources: merged };
}

function withoutMarks(node: Exclude<LayerNode, { kind: 'whiteout' }>): DiskNode {
  return node.kind === 'file' ? node : { kind: 'directory', modifyTimeMs: node.modifyTimeMs };
}

/** One page of the pages that sources have from the same name on, highest priority first. */
function mergePages(pages: readonly LayerPage[], limit: number): DiskPage {
  const ends = pages.flatMap(({ next }) => next ?? []).toSorted(compareNames);
  // Beyond the first page that ends, its source is not known.
  const [end] = ends;
  const first = new Map<string, LayerListEntry>();
  for (const entry of pages.flatMap(({ entries }) => entries)) {
    if (!first.has(entry.name) && (end === undefined || compareNames(entry.name, end) <= 0)) {
      first.set(entry.name, entry);
    }
  }
  const entries = [...first.values()].flatMap<DiskEntry>(({ name, node }) =>
    node.kind === 'whiteout' ? [] : [{ name, node: withoutMarks(node) }],
  );
  const shown = entries.toSorted((left, right) => compareNames(left.name, right.name));
  return shown.length <= limit
    ? { entries: shown, next: end }
    : { entries: shown.slice(0, limit), next: shown[limit - 1]?.name };
}
