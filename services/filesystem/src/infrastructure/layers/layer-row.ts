import type { SqlRow, SqlValue } from '@spanwise/persistence';
import type { LayerEntry } from '../../domain/layer/layer-entry.ts';
import { VirtualPath } from '../../domain/path/virtual-path.ts';
import type { LayerNode } from '../../domain/union/layer-node.ts';
import { hashOfPath } from '../persistence/path-hash.ts';

/** A row of `fs_layer_nodes`. */
export interface LayerRow extends SqlRow {
  readonly path: string;
  /** `f`, `d` or `w`, as in a tree row. */
  readonly kind: string;
  readonly is_opaque: number;
  readonly size: number;
  readonly blob_hash: string;
  readonly modify_time_ms: number;
  /** `n` for nothing, `f` or `d`. */
  readonly base_kind: string;
  readonly base_etag: string;
  /** The disk that its bytes are reserved on; empty for what is counted nowhere. */
  readonly disk: string;
}

export const layerRowColumns = 'path, kind, is_opaque, size, blob_hash, modify_time_ms, base_kind, base_etag, disk';

export const insertLayerColumns = [
  'view_id',
  'path_hash',
  'parent_hash',
  'name',
  'path',
  'kind',
  'is_opaque',
  'size',
  'blob_hash',
  'modify_time_ms',
  'base_kind',
  'base_etag',
  'disk',
] as const;

const kinds = { file: 'f', directory: 'd', whiteout: 'w' } as const;
const baseKinds = { none: 'n', file: 'f', directory: 'd' } as const;

export function layerValues(viewId: string, { path, node, base }: LayerEntry, disk: string): SqlValue[] {
  const file = node.kind === 'file' ? node : undefined;
  const isOpaque = node.kind === 'directory' && node.isOpaque === true;
  return [
    viewId,
    hashOfPath(path.text),
    hashOfPath(path.parent.text),
    path.name,
    path.text,
    kinds[node.kind],
    isOpaque ? 1 : 0,
    file?.size ?? 0,
    file?.etag ?? '',
    file?.modifyTimeMs ?? 0,
    baseKinds[base.kind],
    base.etag,
    disk,
  ];
}

export function entryOf(row: LayerRow): LayerEntry {
  const kind = row.base_kind === 'f' ? 'file' : row.base_kind === 'd' ? 'directory' : 'none';
  return { path: VirtualPath.parse(row.path), node: nodeOf(row), base: { kind, etag: row.base_etag } };
}

function nodeOf(row: LayerRow): LayerNode {
  switch (row.kind) {
    case 'f':
      return { kind: 'file', size: row.size, etag: row.blob_hash, modifyTimeMs: row.modify_time_ms };
    case 'd':
      return { kind: 'directory', modifyTimeMs: undefined, isOpaque: row.is_opaque === 1 };
    default:
      return { kind: 'whiteout' };
  }
}
