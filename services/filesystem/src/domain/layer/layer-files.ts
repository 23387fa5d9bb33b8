import type { Caller } from '../disk/caller.ts';
import { fileNotFound, notAFile } from '../disk/file-errors.ts';
import {
  type ByteRange,
  type DiskNode,
  type DiskPage,
  type FileSlice,
  type ListRequest,
  maxFileBytes,
} from '../disk/file-store.ts';
import type { VirtualPath } from '../path/virtual-path.ts';
import type { LayerNode, LayerPage, MarkedStore } from '../union/layer-node.ts';
import type { BlobSource } from './blob-source.ts';
import type { LayerRows } from './layer-rows.ts';

/** The layer of a view as the top layer of its unions, in paths of the view. Each directory of what it has is in it, too. */
export class LayerFiles implements MarkedStore, BlobSource {
  readonly keepsBlobs = true;
  readonly #rows: LayerRows;

  constructor(rows: LayerRows) {
    this.#rows = rows;
  }

  async stat(_caller: Caller, path: VirtualPath): Promise<DiskNode | undefined> {
    const node = (await this.#rows.at([path])).get(path.text)?.node;
    return node?.kind === 'whiteout' ? undefined : node;
  }

  async list(caller: Caller, path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<DiskPage> {
    const { entries, next } = await this.listMarked(caller, path, request, signal);
    return {
      entries: entries.flatMap(({ name, node }) => (node.kind === 'whiteout' ? [] : [{ name, node }])),
      next,
    };
  }

  async listMarked(_caller: Caller, path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<LayerPage> {
    signal.throwIfAborted();
    const { after, limit } = request;
    const found = await this.#rows.entries(path, after, limit + 1);
    const entries = found.slice(0, limit).map((entry) => ({ name: entry.path.name, node: entry.node }));
    return { entries, next: found.length > limit ? entries.at(-1)?.name : undefined };
  }

  async trail(
    _caller: Caller,
    top: VirtualPath,
    path: VirtualPath,
    signal: AbortSignal,
  ): Promise<readonly LayerNode[]> {
    signal.throwIfAborted();
    const paths = pathsBetween(top, path);
    const entries = await this.#rows.at(paths);
    const trail: LayerNode[] = [];
    for (const each of paths) {
      const node = entries.get(each.text)?.node;
      if (node === undefined) {
        break;
      }
      trail.push(node);
      if (node.kind !== 'directory') {
        break;
      }
    }
    return trail;
  }

  async read(_caller: Caller, path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<FileSlice> {
    signal.throwIfAborted();
    const { offset, length } = range;
    const capped = { offset, length: Math.min(length, maxFileBytes) };
    const { node, data = new Uint8Array() } = (await this.#rows.read(path, capped, signal)) ?? {};
    if (node?.kind !== 'file') {
      throw node?.kind === 'directory' ? notAFile(path) : fileNotFound(path);
    }
    return { data, node };
  }
}

/** The paths from below `top` down to a path. */
export function pathsBetween(top: VirtualPath, path: VirtualPath): VirtualPath[] {
  const paths: VirtualPath[] = [];
  for (let at = path; at.segments.length > top.segments.length; at = at.parent) {
    paths.unshift(at);
  }
  return paths;
}
