import type { ByteRange } from '../src/domain/disk/file-store.ts';
import { bytesOf, emptyLayer, type LayerEntry, type LayerHead } from '../src/domain/layer/layer-entry.ts';
import type { LayerChanges, LayerRows, LayerSlice } from '../src/domain/layer/layer-rows.ts';
import { compareNames } from '../src/domain/path/name-order.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';

/** A layer in memory. */
export class MemoryLayerRows implements LayerRows {
  readonly #entries = new Map<string, LayerEntry>();
  readonly #contents = new Map<string, Uint8Array>();
  #version = 0;

  async head(): Promise<LayerHead> {
    const bytes = [...this.#entries.values()].reduce((sum, { node }) => sum + bytesOf(node), 0);
    return { ...emptyLayer, version: this.#version, bytes, entries: this.#entries.size };
  }

  async at(paths: readonly VirtualPath[]): Promise<ReadonlyMap<string, LayerEntry>> {
    return new Map(
      paths.flatMap(({ text }) => {
        const entry = this.#entries.get(text);
        return entry === undefined ? [] : [[text, entry] as const];
      }),
    );
  }

  async entries(directory: VirtualPath, after: string, limit: number): Promise<readonly LayerEntry[]> {
    return [...this.#entries.values()]
      .filter(({ path }) => !path.isRoot && path.parent.equals(directory))
      .filter(({ path }) => after === '' || compareNames(path.name, after) > 0)
      .toSorted((left, right) => compareNames(left.path.name, right.path.name))
      .slice(0, limit);
  }

  async below(directory: VirtualPath): Promise<readonly LayerEntry[]> {
    return [...this.#entries.values()]
      .filter(({ path }) => path.isWithin(directory) && !path.equals(directory))
      .toSorted((left, right) => left.path.segments.length - right.path.segments.length);
  }

  all(): Promise<readonly LayerEntry[]> {
    return this.below(VirtualPath.root);
  }

  async read({ text }: VirtualPath, { offset, length }: ByteRange): Promise<LayerSlice | undefined> {
    const node = this.#entries.get(text)?.node;
    const content = (node?.kind === 'file' ? this.#contents.get(node.etag) : undefined) ?? new Uint8Array();
    return node && { node, data: content.slice(offset, offset + length) };
  }

  /** Makes a change that was decided on the layer as it is. */
  async make({ version, puts, removed }: LayerChanges): Promise<void> {
    if (version !== this.#version) {
      throw new RangeError('overtaken');
    }
    this.#version += 1;
    removed.forEach(({ text }) => this.#entries.delete(text));
    for (const { entry, data } of puts) {
      this.#entries.set(entry.path.text, entry);
      if (entry.node.kind === 'file' && data !== undefined) {
        this.#contents.set(entry.node.etag, data);
      }
    }
  }
}
