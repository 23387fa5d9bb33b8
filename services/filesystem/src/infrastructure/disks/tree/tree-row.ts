import type { SqlRow, SqlValue } from '@spanwise/persistence';
import type { DirectoryNode, DiskNode, FileNode } from '../../../domain/disk/file-store.ts';
import type { LayerNode } from '../../../domain/union/layer-node.ts';
import { hashOfPath } from '../../persistence/path-hash.ts';

/** A row of `fs_nodes`, or what one was in `fs_versions`. */
export interface TreeRow extends SqlRow {
  readonly path: string;
  /** `f` for a file, `d` for a directory, `w` for a whiteout: nothing is there, whatever lower layers of a union have. */
  readonly kind: string;
  readonly name: string;
  readonly size: number;
  /** SHA-256 of the content, which is its etag; empty for what is no file. */
  readonly blob_hash: string;
  readonly modify_time_ms: number;
  /** The change of the disk that wrote the row. */
  readonly head: number;
  /** 1 for a directory that hides what lower layers of a union have in it. */
  readonly is_opaque: number;
  /**
   * Random, and new whenever the row changes or a directory gets an entry: a change that was decided on a row that was
   * read is made `where stamp = ?`. Empty in versions.
   */
  readonly stamp: string;
  /** The user who wrote it, whom its bytes are counted for. Empty in versions, and in rows from before use was counted. */
  readonly owner: string;
}

/**
 * What rows of `fs_nodes` and of `fs_versions` have to be to be seen at a head. With the signs the indexes of heads are not
 * used for it: they would find most of a disk, where the path finds one row.
 */
export const until = '+head <= ?';
export const atPin = '+head <= ? and +to_head > ?';

const sharedColumns = 'path, kind, name, size, blob_hash, modify_time_ms, head, is_opaque';

/** Columns of a {@link TreeRow} of `fs_nodes`. */
export const rowColumns = `${sharedColumns}, stamp, owner`;
/** The same of `fs_versions`. */
export const versionColumns = `${sharedColumns}, '' as stamp, '' as owner`;

/** Columns of an insert into `fs_nodes`, in the order of {@link valuesOf}. */
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
  'head',
  'is_opaque',
  'stamp',
  'owner',
] as const;

export function valuesOf(disk: string, row: TreeRow): SqlValue[] {
  const { path, kind, name, size, blob_hash, modify_time_ms, head, is_opaque, stamp, owner } = row;
  const [key, parent] = [hashOfPath(path), hashOfParent(path)];
  return [disk, key, parent, path, kind, name, size, blob_hash, modify_time_ms, head, is_opaque, stamp, owner];
}

/** Columns of an insert into `fs_versions`, in the order of {@link versionOf}. */
export const insertVersionColumns = [
  'disk',
  'path_hash',
  'head',
  'to_head',
  'parent_hash',
  'name',
  'path',
  'kind',
  'is_opaque',
  'size',
  'blob_hash',
  'modify_time_ms',
  'superseded_ms',
] as const;

/** The version that a row becomes when the change `toHead` replaces it. */
export function versionOf(disk: string, row: TreeRow, toHead: number, nowMs: number): SqlValue[] {
  const { path, kind, name, size, blob_hash, modify_time_ms, head, is_opaque } = row;
  const [key, parent] = [hashOfPath(path), hashOfParent(path)];
  return [disk, key, head, toHead, parent, name, path, kind, is_opaque, size, blob_hash, modify_time_ms, nowMs];
}

function hashOfParent(path: string): string {
  return hashOfPath(path.slice(0, path.lastIndexOf('/')) || '/');
}

export const treeDirectory: DirectoryNode = { kind: 'directory', modifyTimeMs: undefined };

/** What a row shows to who knows no marks. */
export function nodeOf(row: TreeRow): DiskNode | undefined {
  switch (row.kind) {
    case 'f':
      return fileNodeOf(row);
    case 'd':
      return treeDirectory;
    default:
      return undefined;
  }
}

export function markedNodeOf(row: TreeRow): LayerNode {
  switch (row.kind) {
    case 'f':
      return fileNodeOf(row);
    case 'd':
      return { ...treeDirectory, isOpaque: row.is_opaque === 1 };
    default:
      return { kind: 'whiteout' };
  }
}

export function fileNodeOf(row: TreeRow): FileNode {
  return { kind: 'file', size: row.size, etag: row.blob_hash, modifyTimeMs: row.modify_time_ms };
}
