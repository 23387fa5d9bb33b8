import type { Change } from '../domain/change/change.ts';
import type { ByteRange, FileStore } from '../domain/disk/file-store.ts';
import { emptyLayer, type LayerEntry, type LayerHead, type LayerState } from '../domain/layer/layer-entry.ts';
import { viewClosed } from '../domain/layer/layer-errors.ts';
import type { LayerSlice } from '../domain/layer/layer-rows.ts';
import { LayeredFiles, type LowerMount } from '../domain/layer/layered-files.ts';
import type { CommitAnswer, Conflict } from '../domain/layer/publishing.ts';
import { compareNames } from '../domain/path/name-order.ts';
import type { VirtualPath } from '../domain/path/virtual-path.ts';
import type { ViewLayer } from './ports/layers.ts';

/**
 * The entries of a layer as they were at one moment, by the texts of their paths: what is where, not what is in it. Changes
 * of it are refused with VIEW_CLOSED.
 */
export class SnapshotLayer implements ViewLayer {
  readonly #entries: ReadonlyMap<string, LayerEntry>;
  readonly #ofDirectory = new Map<string, LayerEntry[]>();

  constructor(entries: ReadonlyMap<string, LayerEntry>) {
    this.#entries = entries;
    for (const entry of entries.values()) {
      const parent = entry.path.parent.text;
      const siblings = this.#ofDirectory.get(parent) ?? [];
      this.#ofDirectory.set(parent, siblings);
      siblings.push(entry);
    }
  }

  async head(): Promise<LayerHead> {
    return { ...emptyLayer, version: this.#entries.size === 0 ? 0 : 1, entries: this.#entries.size };
  }

  async at(paths: readonly VirtualPath[]): Promise<ReadonlyMap<string, LayerEntry>> {
    const found = paths.flatMap(({ text }) => this.#entries.get(text) ?? []);
    return new Map(found.map((entry) => [entry.path.text, entry]));
  }

  async entries(directory: VirtualPath, after: string, limit: number): Promise<readonly LayerEntry[]> {
    const siblings = this.#ofDirectory.get(directory.text) ?? [];
    return siblings
      .filter(({ path }) => after === '' || compareNames(path.name, after) > 0)
      .toSorted((left, right) => compareNames(left.path.name, right.path.name))
      .slice(0, limit);
  }

  async below(directory: VirtualPath): Promise<readonly LayerEntry[]> {
    return (await this.all()).filter(({ path }) => path.isWithin(directory) && !path.equals(directory));
  }

  async all(): Promise<readonly LayerEntry[]> {
    return [...this.#entries.values()].toSorted(
      (left, right) => left.path.segments.length - right.path.segments.length,
    );
  }

  read(_path: VirtualPath, _range: ByteRange): Promise<LayerSlice | undefined> {
    throw viewClosed();
  }

  files(lower: LowerMount, lowerAt: (path: VirtualPath) => LowerMount): FileStore {
    const refuse = () => {
      throw viewClosed();
    };
    return new LayeredFiles({ rows: this, lower, lowerAt, make: refuse, digest: refuse, nowMs: refuse });
  }

  async answer(): Promise<CommitAnswer | undefined> {
    return undefined;
  }

  publish(_change: Change): Promise<readonly Conflict[]> {
    throw viewClosed();
  }

  settle(_paths: readonly VirtualPath[]): Promise<void> {
    throw viewClosed();
  }

  close(_answer: CommitAnswer): Promise<void> {
    throw viewClosed();
  }

  rollBack(_change: Change): Promise<LayerState> {
    throw viewClosed();
  }
}
