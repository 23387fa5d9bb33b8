import { emptyLayer } from './layer-entry.ts';
import type { LayerRows } from './layer-rows.ts';

/** A layer in which nothing was changed: what a change that goes straight to the disks is decided on. */
export const emptyLayerRows: LayerRows = {
  head: async () => emptyLayer,
  at: async () => new Map(),
  entries: async () => [],
  below: async () => [],
  all: async () => [],
  read: async () => undefined,
};
