import type { ByteRange } from '../disk/file-store.ts';
import type { VirtualPath } from '../path/virtual-path.ts';
import type { LayerNode } from '../union/layer-node.ts';
import type { ReceivedUpload } from '../upload/received-upload.ts';
import type { LayerEntry, LayerHead } from './layer-entry.ts';

/** An entry and bytes of it. */
export interface LayerSlice {
  readonly node: LayerNode;
  /** Shorter than asked for at the end of a file; empty for what is none. */
  readonly data: Uint8Array;
}

/** What the layer of one view has. Methods throw DATABASE_UNAVAILABLE or DISK_UNAVAILABLE. */
export interface LayerRows {
  head(): Promise<LayerHead>;

  /** The entries at those paths that have one, by the text of the path. */
  at(paths: readonly VirtualPath[]): Promise<ReadonlyMap<string, LayerEntry>>;

  /** Entries directly in a directory, by name in byte order: `limit` of them unless there are no more. */
  entries(directory: VirtualPath, after: string, limit: number): Promise<readonly LayerEntry[]>;

  /** All entries below a directory, each directory before what is in it. */
  below(directory: VirtualPath): Promise<readonly LayerEntry[]>;

  /** All entries, each directory before what is in it. */
  all(): Promise<readonly LayerEntry[]>;

  /** What is at a path, and bytes of it if it is a file, both of the same moment. Undefined when nothing is. */
  read(path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<LayerSlice | undefined>;
}

/** An entry on its way into a layer. */
export interface LayerPut {
  readonly entry: LayerEntry;
  /**
   * Content of a file; undefined when it is in an upload, or something that stays for now has the same, in the layer or on a
   * tree disk.
   */
  readonly data?: Uint8Array;
  /** The upload that the content is taken out of. */
  readonly upload?: ReceivedUpload | undefined;
}

/** One change of a layer: decided on what it was at `version`, made only if it still is. */
export interface LayerChanges {
  readonly version: number;
  /** Replaces what is at their paths. */
  readonly puts: readonly LayerPut[];
  readonly removed: readonly VirtualPath[];
}

export const noChanges: Omit<LayerChanges, 'version'> = { puts: [], removed: [] };
