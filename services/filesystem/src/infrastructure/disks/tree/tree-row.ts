import type { SqlRow, SqlValue } from '@spanwise/persistence';
import type { DirectoryNode, DiskNode, FileNode } from '../../../domain/disk/file-store.ts';
import { hashOfPath } from '../../persistence/path-hash.ts';

/** A row of `fs_nodes`. */
export interface TreeRow extends SqlRow {
  readonly path: string;
  /** `f` for a file, `d` for a directory. */
  readonly kind: string;
  readonly name: string;
  readonly size: number;
  /** SHA-256 of the content, which is its etag; empty for a directory. */
  readonly blob_hash: string;
  readonly modify_time_ms: number;
  /**
   * Random, and new whenever the row changes or a directory gets an entry: a change that was decided on a row that was
   * read is made `where stamp = ?`.
   */
  readonly stamp: string;
}

/** Columns of a {@link TreeRow}. */
export const rowColumns = 'path, kind, name, size, blob_hash, modify_time_ms, stamp';

/** Columns of an insert, in the order of {@link valuesOf}. */
export const insertColumns = [
  'disk',
  'path_hash',
  'parent_hash',
  'path',
  'kind',
  'name',
  'size',
  'blob_hash',
  'modify_time_ms',
  'stamp',
] as const;

export function valuesOf(disk: string, row: TreeRow): SqlValue[] {
  const parent = row.path.slice(0, row.path.lastIndexOf('/')) || '/';
  const { path, kind, name, size, blob_hash, modify_time_ms, stamp } = row;
  return [disk, hashOfPath(path), hashOfPath(parent), path, kind, name, size, blob_hash, modify_time_ms, stamp];
}

export const treeDirectory: DirectoryNode = { kind: 'directory', modifyTimeMs: undefined };

export function nodeOf(row: TreeRow): DiskNode {
  return row.kind === 'f' ? fileNodeOf(row) : treeDirectory;
}

export function fileNodeOf(row: TreeRow): FileNode {
  return { kind: 'file', size: row.size, etag: row.blob_hash, modifyTimeMs: row.modify_time_ms };
}
