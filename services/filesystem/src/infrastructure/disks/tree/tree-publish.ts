import type { DiskNode } from '../../../domain/disk/file-store.ts';
import { isChange, type LayerEntry } from '../../../domain/layer/layer-entry.ts';
import { type Conflict, conflictOf, type TreeItem } from '../../../domain/layer/publishing.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import type { TreeChange } from './tree-change.ts';
import { nodeOf, type TreeRow } from './tree-row.ts';

export interface TreePublishOptions {
  /** The head that the run has begun with. */
  readonly pin: number;
  /** True: what others have changed since then is no conflict. */
  readonly overwrites: boolean;
}

/** Publishes the layer of a run to one tree disk, as part of one change of it. */
export class TreePublish {
  readonly #change: TreeChange;
  readonly #options: TreePublishOptions;
  /** The rows at all paths that are touched and above them, as they will be. */
  readonly #rows: Map<string, TreeRow>;
  readonly #conflicts: Conflict[] = [];
  readonly #superseded = new Map<string, TreeRow>();
  readonly #inserted = new Map<string, TreeRow>();
  #touched: ReadonlySet<string> = new Set();

  private constructor(change: TreeChange, options: TreePublishOptions, rows: Map<string, TreeRow>) {
    this.#change = change;
    this.#options = options;
    this.#rows = rows;
  }

  /**
   * `items` come in the order of their paths. Answers the conflicts; with any, nothing was changed. The blobs of files keep
   * the uses that they have in the layer: those that nobody needs are answered as well.
   */
  static async run(
    change: TreeChange,
    items: readonly TreeItem[],
    options: TreePublishOptions,
  ): Promise<{ readonly conflicts: readonly Conflict[]; readonly unused: readonly string[] }> {
    const changes = items.filter(({ entry }) => isChange(entry));
    const paths = new Set(changes.flatMap(({ inner }) => withAncestors(inner)));
    const publish = new TreePublish(change, options, await change.rows.atAll([...paths]));
    publish.#touched = new Set(changes.map(({ inner }) => inner.text));
    for (const item of changes) {
      publish.#check(item);
    }
    for (const item of changes) {
      await publish.#apply(item);
    }
    return publish.#finish(items);
  }

  #check({ inner, entry, beneath }: TreeItem): void {
    const conflict = this.#options.overwrites ? undefined : conflictOf(entry, this.#shownAt(inner, beneath));
    if (conflict !== undefined) {
      this.#conflicts.push(conflict);
    }
  }

  /** What is seen at a path: the disk over what the sources below it show. */
  #shownAt(path: VirtualPath, beneath: DiskNode | undefined): DiskNode | undefined {
    let isBeneathSeen = true;
    for (const above of withAncestors(path.parent)) {
      const row = this.#rows.get(above);
      if (row !== undefined && row.kind !== 'd') {
        return undefined;
      }
      isBeneathSeen &&= row?.is_opaque !== 1;
    }
    const row = this.#rows.get(path.text);
    if (row === undefined) {
      return isBeneathSeen ? beneath : undefined;
    }
    return nodeOf(row);
  }

  async #apply({ inner, entry, beneath }: TreeItem): Promise<void> {
    const row = this.#rows.get(inner.text);
    const { node } = entry;
    const hides = beneath !== undefined;
    switch (node.kind) {
      case 'whiteout':
        await this.#takeAway(row, entry);
        if (hides) {
          this.#put(inner, { kind: 'w' }, entry);
        }
        return;
      case 'directory':
        if (row?.kind === 'd') {
          await this.#emptyDirectory(row, entry, hides);
        } else {
          await this.#takeAway(row, entry);
          const isOpaque = beneath?.kind === 'directory' && (node.isOpaque === true || row?.kind === 'w');
          this.#put(inner, { kind: 'd', is_opaque: isOpaque ? 1 : 0 }, entry);
        }
        return;
      case 'file':
        if (row?.kind === 'f' && row.blob_hash === node.etag) {
          return;
        }
        await this.#takeAway(row, entry);
        this.#put(
          inner,
          {
            kind: 'f',
            size: node.size,
            blob_hash: node.etag,
            ...(node.modifyTimeMs === undefined ? {} : { modify_time_ms: node.modifyTimeMs }),
          },
          entry,
        );
    }
  }

  async #emptyDirectory(row: TreeRow, entry: LayerEntry, hides: boolean): Promise<void> {
    const isOpaque = entry.node.kind === 'directory' && entry.node.isOpaque === true;
    if (!isOpaque) {
      return;
    }
    await this.#takeBelow(row, entry);
    if (hides && row.is_opaque !== 1) {
      this.#supersede(row);
      this.#insert({ ...row, head: this.#change.head, stamp: this.#change.stamp(), is_opaque: 1 });
    }
  }

  async #takeAway(row: TreeRow | undefined, entry: LayerEntry): Promise<void> {
    if (row === undefined) {
      return;
    }
    if (row.kind === 'd') {
      await this.#takeBelow(row, entry);
    }
    this.#supersede(row);
  }

  /** What others have put into a directory since the run has begun is not taken away unasked. */
  async #takeBelow(directory: TreeRow, { path }: LayerEntry): Promise<void> {
    // What this change itself has put there is not in the database yet.
    const rows = await this.#change.rows.below(directory.path);
    const newer = rows.flatMap(({ head, path: at }) =>
      head > this.#options.pin && !this.#touched.has(at) ? [at] : [],
    );
    const found = await this.#change.rowsAt(this.#options.pin).atAll(newer);
    const isNewer = new Set(newer);
    for (const row of rows) {
      const isNew = isNewer.has(row.path) && row.kind !== 'w' && !isSameContent(row, found.get(row.path));
      if (isNew && !this.#options.overwrites) {
        this.#conflicts.push({
          path: pathBelow(path, directory, row),
          baseEtag: '',
          currentEtag: row.kind === 'f' ? row.blob_hash : '',
        });
      }
      if (this.#rows.get(row.path)?.stamp === row.stamp || !this.#rows.has(row.path)) {
        this.#supersede(row);
      }
    }
  }

  #put(path: VirtualPath, row: Parameters<TreeChange['newRow']>[1], { path: told }: LayerEntry): void {
    this.#makeParents(path.parent, told.parent);
    this.#insert(this.#change.newRow(path, row));
  }

  /** The directories above what is published may be gone, or come from below in the union. */
  #makeParents(path: VirtualPath, told: VirtualPath): void {
    const row = this.#rows.get(path.text);
    if (path.isRoot || row?.kind === 'd') {
      return;
    }
    this.#makeParents(path.parent, told.parent);
    if (row?.kind === 'f' && !this.#options.overwrites) {
      this.#conflicts.push({ path: told, baseEtag: '', currentEtag: row.blob_hash });
    }
    if (row !== undefined) {
      this.#supersede(row);
    }
    this.#insert(this.#change.newRow(path, { kind: 'd', is_opaque: row?.kind === 'w' ? 1 : 0 }));
  }

  #supersede(row: TreeRow): void {
    if (this.#inserted.get(row.path)?.stamp === row.stamp) {
      this.#inserted.delete(row.path);
    } else {
      this.#superseded.set(row.path, row);
    }
    this.#rows.delete(row.path);
  }

  #insert(row: TreeRow): void {
    this.#inserted.set(row.path, row);
    this.#rows.set(row.path, row);
  }

  async #finish(items: readonly TreeItem[]) {
    if (this.#conflicts.length > 0) {
      return { conflicts: this.#conflicts, unused: [] };
    }
    await this.#change.supersede([...this.#superseded.values()]);
    await this.#change.rows.insert([...this.#inserted.values()]);
    const unused = items.flatMap(({ inner, entry: { node } }) =>
      node.kind === 'file' && this.#inserted.get(inner.text)?.blob_hash !== node.etag ? [node.etag] : [],
    );
    return { conflicts: [], unused };
  }
}

/** Whether somebody has put back what the run has found. */
function isSameContent(row: TreeRow, found: TreeRow | undefined): boolean {
  return row.kind === found?.kind && row.blob_hash === found.blob_hash;
}

function withAncestors(path: VirtualPath): string[] {
  const paths: string[] = [];
  for (let at = path; !at.isRoot; at = at.parent) {
    paths.unshift(at.text);
  }
  return paths;
}

/** The path of a row below a directory that is seen as `top`; the directory itself for a name that no path can have. */
function pathBelow(top: VirtualPath, directory: TreeRow, row: TreeRow): VirtualPath {
  const names = row.path.slice(directory.path.length + 1).split('/');
  return names.reduce<VirtualPath>((path, name) => path.entry(name) ?? path, top);
}
