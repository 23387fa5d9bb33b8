import type { RunId } from '@spanwise/kernel';
import type { Layers, TreePublication, UnionDeps, ViewLayer } from '../../application/ports/layers.ts';
import type { Change } from '../../domain/change/change.ts';
import type { FileStore } from '../../domain/disk/file-store.ts';
import type { LayerHead, LayerState } from '../../domain/layer/layer-entry.ts';
import type { LowerMount } from '../../domain/layer/layered-files.ts';
import type { CommitAnswer, Conflict } from '../../domain/layer/publishing.ts';
import type { VirtualPath } from '../../domain/path/virtual-path.ts';
import type { SessionView } from '../../domain/view/session-view.ts';
import { BlobPlace } from '../blobs/blob-place.ts';
import { Turns } from '../changes/turns.ts';
import { contentEtag } from '../disks/content-etag.ts';
import { changeBlobUses } from '../disks/tree/blobs.ts';
import { holdLayer } from './hold-layer.ts';
import { deleteEntries, hashesOf } from './layer-change.ts';
import { answerOf, commitLayer, dropLayer, type SqlLayersDeps, storedAnswer } from './layer-end.ts';
import { releasedReservations } from './layer-reservations.ts';
import { SqlLayerFiles } from './sql-layer-files.ts';
import { SqlLayerRows } from './sql-layer-rows.ts';
import { SqlUnionFiles } from './sql-union-files.ts';

/** Layers whose end is known here at most: those that are over stay so. */
const maxKnown = 4096;

/** The layers of views in tables of the service. */
export class SqlLayers implements Layers {
  readonly #deps: SqlLayersDeps;
  readonly #turns = new Turns();
  readonly #over = new Map<RunId, LayerHead>();

  constructor(deps: SqlLayersDeps) {
    this.#deps = deps;
  }

  of(view: SessionView): ViewLayer {
    return new SqlViewLayer(this.#deps, view, this.#turns, this.#over);
  }

  union(union: UnionDeps): FileStore {
    return new SqlUnionFiles(this.#deps, union);
  }

  async forget(viewIds: readonly RunId[]): Promise<void> {
    const { database } = this.#deps;
    for (const viewId of viewIds) {
      await database.transaction(async (tx) => {
        // First, because it holds the layer: who forgets it at the same moment finds nothing any more.
        await tx.run('delete from fs_layers where view_id = ?', [viewId]);
        const entries = await new SqlLayerRows(viewId, tx).all();
        const usage = await releasedReservations(tx, viewId);
        await tx.run('delete from fs_layer_nodes where view_id = ?', [viewId]);
        await usage.apply(tx, this.#deps.quotas);
        await changeBlobUses(tx, [], entries.flatMap(hashesOf));
      });
      this.#over.delete(viewId);
    }
  }
}

class SqlViewLayer extends SqlLayerRows implements ViewLayer {
  readonly #deps: SqlLayersDeps;
  readonly #view: SessionView;
  readonly #turns: Turns;
  readonly #over: Map<RunId, LayerHead>;

  constructor(deps: SqlLayersDeps, view: SessionView, turns: Turns, over: Map<RunId, LayerHead>) {
    super(view.id, deps.database, deps.blobs);
    this.#deps = deps;
    this.#view = view;
    this.#turns = turns;
    this.#over = over;
  }

  override async head(): Promise<LayerHead> {
    const { id } = this.#view;
    const known = this.#over.get(id);
    if (known !== undefined) {
      return known;
    }
    const head = await super.head();
    if (head.state === 'PUBLISHED' || head.state === 'ROLLED_BACK') {
      this.#over.set(id, head);
      if (this.#over.size > maxKnown) {
        // A map keeps the order in which it was filled.
        const [oldest] = this.#over.keys();
        this.#over.delete(oldest ?? id);
      }
    }
    return head;
  }

  files(lower: LowerMount, lowerAt: (path: VirtualPath) => LowerMount): FileStore {
    const { database, blobs = BlobPlace.inDatabase, limits, quotas, clock } = this.#deps;
    const { id: viewId, uid } = this.#view;
    return new SqlLayerFiles({
      rows: this,
      lower,
      lowerAt,
      digest: contentEtag,
      nowMs: () => clock.nowMs(),
      viewId,
      uid,
      database,
      blobs,
      limits,
      quotas,
      inTurn: (work) => this.#turns.inTurn(viewId, work),
    });
  }

  answer(): Promise<CommitAnswer | undefined> {
    return storedAnswer(this.#deps.database, this.#view.id);
  }

  publish(change: Change, publication: TreePublication): Promise<readonly Conflict[] | 'moved'> {
    return this.#turns.inTurn(this.#view.id, () => commitLayer(this.#deps, this.#view, change, publication));
  }

  async settle(paths: readonly VirtualPath[]): Promise<void> {
    await this.#deps.database.transaction(async (tx) => {
      await holdLayer(tx, this.#view.id);
      const entries = [...(await new SqlLayerRows(this.#view.id, tx).at(paths)).values()];
      await deleteEntries(
        tx,
        this.#view.id,
        entries.map(({ path }) => path),
      );
      await changeBlobUses(tx, [], entries.flatMap(hashesOf));
    });
  }

  async close(answer: CommitAnswer): Promise<void> {
    await this.#deps.database.transaction(async (tx) => {
      await holdLayer(tx, this.#view.id);
      const rows = new SqlLayerRows(this.#view.id, tx);
      const left = await rows.all();
      await tx.run(
        "update fs_layers set state = 'PUBLISHED', result = ?, bytes = 0, entries = 0, change_time_ms = ? where view_id = ?",
        [answerOf(answer), this.#deps.clock.nowMs(), this.#view.id],
      );
      await tx.run('delete from fs_layer_nodes where view_id = ?', [this.#view.id]);
      await changeBlobUses(tx, [], left.flatMap(hashesOf));
    });
  }

  rollBack(change: Change, answer: CommitAnswer): Promise<LayerState> {
    return this.#turns.inTurn(this.#view.id, () => dropLayer(this.#deps, this.#view, change, answer));
  }
}
