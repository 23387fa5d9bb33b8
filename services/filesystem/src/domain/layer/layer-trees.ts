import { etagMismatch, fileNotFound, fileTooLarge } from '../disk/file-errors.ts';
import type { ByteRange, DiskNode, DiskPage, FileNode, FileSlice, ListRequest } from '../disk/file-store.ts';
import { maxFileBytes, maxStreamedBytes } from '../disk/file-store.ts';
import type { VirtualPath } from '../path/virtual-path.ts';
import type { UnionSource } from '../union/union-source.ts';
import type { Found } from '../union/union-store.ts';
import { isBlobSource } from './blob-source.ts';
import { baseOf, type LayerEntry } from './layer-entry.ts';
import { quotaExceeded, tooManyChanges } from './layer-errors.ts';
import type { LayerChanges, LayerPut, LayerRows } from './layer-rows.ts';
import type { SeenPath } from './seen-path.ts';

/** Paths that one change may touch. */
export const maxPathsPerChange = 10_000;
/** Bytes that one change may bring from other disks: they are held in memory. */
const maxBytesPerChange = 256 * 1024 * 1024;
/** Entries of a page of a walk. */
const pageSize = 500;

type List = (path: VirtualPath, request: ListRequest) => Promise<DiskPage>;

/** What changes of whole trees work with. */
export interface TreeWork {
  readonly rows: LayerRows;
  readonly digest: (data: Uint8Array) => string;
  readonly see: (path: VirtualPath) => Promise<SeenPath>;
  /** What the run sees. */
  readonly merged: { readonly list: List; readonly find: (path: VirtualPath) => Promise<Found | undefined> };
  /** What lies below its layer at a path. */
  readonly lower: (path: VirtualPath) => { readonly keepsVersions: boolean; readonly list: List };
  readonly read: (source: UnionSource, path: VirtualPath, range: ByteRange) => Promise<FileSlice>;
}

/** What takes a path, with all below it, out of what a run sees. */
export async function removeTree(
  work: TreeWork,
  seen: SeenPath,
  path: VirtualPath,
): Promise<Omit<LayerChanges, 'version'>> {
  const below = await work.rows.below(path);
  const { lowerNode } = seen;
  const whiteouts: LayerPut[] = [];
  if (lowerNode !== undefined || seen.base.kind !== 'none') {
    whiteouts.push(...seen.parents(), { entry: { path, node: { kind: 'whiteout' }, base: seen.base } });
    whiteouts.push(...(await expected(work, path, lowerNode, below)));
  }
  const kept = new Set(whiteouts.map(({ entry }) => entry.path.text));
  const all = seen.entry === undefined ? below : [seen.entry, ...below];
  return { puts: whiteouts, removed: all.map((entry) => entry.path).filter(({ text }) => !kept.has(text)) };
}

/**
 * Whiteouts of all that a disk has below a directory: where the disk itself can not tell later what was changed in it, they
 * say what the run has meant to delete.
 */
async function expected(
  work: TreeWork,
  path: VirtualPath,
  lowerNode: DiskNode | undefined,
  below: readonly LayerEntry[],
): Promise<LayerPut[]> {
  const { keepsVersions, list } = work.lower(path);
  if (keepsVersions || lowerNode?.kind !== 'directory') {
    return [];
  }
  const known = new Map(below.map((entry) => [entry.path.text, entry.base]));
  const puts: LayerPut[] = [];
  for await (const { path: at, node } of walk(list, path)) {
    puts.push({ entry: { path: at, node: { kind: 'whiteout' }, base: known.get(at.text) ?? baseOf(node) } });
    assertFew(puts);
  }
  return puts;
}

/** What puts a file, or a directory with all in it, at another path as well. */
export async function copyTree(
  work: TreeWork,
  from: VirtualPath,
  to: VirtualPath,
  node: DiskNode,
): Promise<LayerPut[]> {
  const puts = [await copyOf(work, from, to, node)];
  let bytes = 0;
  if (node.kind === 'directory') {
    for await (const { path, node: each } of walk(work.merged.list, from)) {
      const put = await copyOf(work, path, path.relativeTo(from).below(to), each);
      puts.push(put);
      assertFew(puts);
      bytes += put.data?.length ?? 0;
      if (bytes > maxBytesPerChange) {
        throw quotaExceeded('bytes_per_change', maxBytesPerChange);
      }
    }
  }
  return puts;
}

async function copyOf(work: TreeWork, from: VirtualPath, to: VirtualPath, node: DiskNode): Promise<LayerPut> {
  const target = await work.see(to);
  if (node.kind === 'directory') {
    const { entry } = target.directory();
    // Nothing is seen there, so that nothing of what lies below may be seen in it.
    const isOpaque = target.lowerNode?.kind === 'directory';
    return { entry: { ...entry, node: { kind: 'directory', modifyTimeMs: undefined, isOpaque } } };
  }
  const found = await work.merged.find(from);
  const source = found?.node.kind === 'file' ? found.sources[0] : undefined;
  if (found?.node.kind !== 'file' || source === undefined) {
    throw fileNotFound(from);
  }
  if (isBlobSource(source.store)) {
    return { entry: { path: to, node: found.node, base: target.base } };
  }
  const data = await contentOf(work, source, from, found.node);
  const copied: FileNode = { ...found.node, size: data.length, etag: work.digest(data) };
  return { entry: { path: to, node: copied, base: target.base }, data };
}

async function contentOf(
  { read }: TreeWork,
  source: UnionSource,
  path: VirtualPath,
  { size }: FileNode,
): Promise<Uint8Array> {
  if (size > maxStreamedBytes) {
    throw fileTooLarge(path, maxStreamedBytes);
  }
  if (size <= maxFileBytes) {
    return (await read(source, path, { offset: 0, length: maxFileBytes })).data;
  }
  const data = new Uint8Array(size);
  let first: FileNode | undefined;
  for (let offset = 0; offset < size; offset += maxFileBytes) {
    const slice = await read(source, path, { offset, length: Math.min(maxFileBytes, size - offset) });
    first ??= slice.node;
    if (slice.node.etag !== first.etag || slice.node.size !== size) {
      throw etagMismatch(path, slice.node.etag);
    }
    data.set(slice.data, offset);
  }
  return data;
}

/** All below a directory, each directory before what is in it. */
async function* walk(
  list: List,
  directory: VirtualPath,
): AsyncGenerator<{ readonly path: VirtualPath; readonly node: DiskNode }> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: DiskPage = await list(directory, { after, limit: pageSize, withEtags: true });
    for (const { name, node } of page.entries) {
      const path = directory.entry(name);
      if (path !== undefined) {
        yield { path, node };
        if (node.kind === 'directory') {
          yield* walk(list, path);
        }
      }
    }
    after = page.next;
  }
}

function assertFew(puts: readonly LayerPut[]): void {
  if (puts.length > maxPathsPerChange) {
    throw tooManyChanges(maxPathsPerChange);
  }
}
