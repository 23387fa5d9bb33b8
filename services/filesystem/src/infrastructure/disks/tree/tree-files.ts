import type { Caller } from '../../../domain/disk/caller.ts';
import { fileNotFound, notADirectory, notAFile } from '../../../domain/disk/file-errors.ts';
import {
  type ByteRange,
  type DiskNode,
  type DiskPage,
  type FileSlice,
  type ListRequest,
  maxFileBytes,
} from '../../../domain/disk/file-store.ts';
import type { BlobSource } from '../../../domain/layer/blob-source.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import type { LayerNode, LayerPage, MarkedStore } from '../../../domain/union/layer-node.ts';
import { type ContentSource, readSlice } from './read-slice.ts';
import { markedNodeOf, nodeOf, treeDirectory } from './tree-row.ts';
import { TreeRows } from './tree-rows.ts';

/** The files of a tree disk for reading, as they are or as they were at a head. */
export class TreeFiles implements MarkedStore, BlobSource {
  readonly keepsBlobs = true;
  readonly #disk: string;
  readonly #source: ContentSource;
  readonly #pin: number | undefined;
  readonly #rows: TreeRows;

  /** `pin`: shows the disk as it was after the change of that number. */
  constructor(disk: string, source: ContentSource, pin?: number) {
    this.#disk = disk;
    this.#source = source;
    this.#pin = pin;
    this.#rows = new TreeRows(disk, source.sql, { pin });
  }

  async stat(_caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    signal.throwIfAborted();
    const row = path.isRoot ? undefined : await this.#rows.at(path.text);
    return path.isRoot ? treeDirectory : row && nodeOf(row);
  }

  async list(caller: Caller, path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<DiskPage> {
    const { entries, next } = await this.listMarked(caller, path, request, signal);
    if (entries.length === 0) {
      const node = await this.stat(caller, path, signal);
      if (node?.kind !== 'directory') {
        throw node === undefined ? fileNotFound(path) : notADirectory(path);
      }
    }
    const shown = entries.flatMap(({ name, node }) => {
      return node.kind === 'whiteout' ? [] : [{ name, node: node.kind === 'file' ? node : treeDirectory }];
    });
    return { entries: shown, next };
  }

  async listMarked(_caller: Caller, path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<LayerPage> {
    signal.throwIfAborted();
    const { after, limit } = request;
    const rows = await this.#rows.entries(path.text, after, limit + 1);
    const entries = rows.slice(0, limit).map((row) => ({ name: row.name, node: markedNodeOf(row) }));
    return { entries, next: rows.length > limit ? entries.at(-1)?.name : undefined };
  }

  async trail(
    _caller: Caller,
    top: VirtualPath,
    path: VirtualPath,
    signal: AbortSignal,
  ): Promise<readonly LayerNode[]> {
    signal.throwIfAborted();
    const paths: string[] = [];
    for (let at = path; at.segments.length > top.segments.length; at = at.parent) {
      paths.unshift(at.text);
    }
    const rows = await this.#rows.atAll(paths);
    const trail: LayerNode[] = [];
    for (const text of paths) {
      const row = rows.get(text);
      if (row === undefined) {
        break;
      }
      trail.push(markedNodeOf(row));
      if (row.kind !== 'd') {
        break;
      }
    }
    return trail;
  }

  async read(_caller: Caller, path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<FileSlice> {
    signal.throwIfAborted();
    const length = Math.min(range.length, maxFileBytes);
    const slice = path.isRoot
      ? 'directory'
      : await readSlice(
          this.#source,
          { disk: this.#disk, path: path.text, pin: this.#pin },
          { ...range, length },
          signal,
        );
    if (slice === undefined) {
      throw fileNotFound(path);
    }
    if (slice === 'directory') {
      throw notAFile(path);
    }
    return slice;
  }
}
