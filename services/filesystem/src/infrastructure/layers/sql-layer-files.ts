import type { RunId } from '@spanwise/kernel';
import type { Database } from '@spanwise/persistence';
import type { FileStore } from '../../domain/disk/file-store.ts';
import type { LayerChanges } from '../../domain/layer/layer-rows.ts';
import { LayeredFiles, type LayeredFilesDeps } from '../../domain/layer/layered-files.ts';
import type { BlobPlace } from '../blobs/blob-place.ts';
import type { StagedBlobs } from '../blobs/staged-blobs.ts';
import type { Transaction, TransactionalStore } from '../changes/transactional-store.ts';
import { againWhenOvertaken } from '../disks/tree/overtaken.ts';
import type { Quotas } from '../usage/usage-changes.ts';
import { type ChangedLayer, changeLayer, type LayerLimits } from './layer-change.ts';

export interface SqlLayerFilesDeps extends Omit<LayeredFilesDeps, 'make'> {
  readonly viewId: RunId;
  /** The user of the view. */
  readonly uid: string;
  readonly database: Database;
  /** Where content lies. */
  readonly blobs: BlobPlace;
  readonly limits: LayerLimits;
  readonly quotas: Quotas;
  /** Makes the changes of one layer come one after another in this process. */
  readonly inTurn: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

/** Each lost attempt means that another change of the same run has won. */
const maxAttempts = 200;

/**
 * The files of a run at a mount; its changes go into its layer. What a change does is decided before its transaction, because
 * other disks are read for that.
 */
export class SqlLayerFiles extends LayeredFiles implements TransactionalStore {
  readonly #deps: SqlLayerFilesDeps;

  constructor(deps: SqlLayerFilesDeps) {
    super({ ...deps, make: (changes) => this.#make(changes) });
    this.#deps = deps;
  }

  transact<Answer, Result>(transaction: Transaction<Answer, Result>, signal: AbortSignal): Promise<Result> {
    return this.#deps.inTurn(async () => {
      const staged = this.#deps.blobs.begin(signal);
      return againWhenOvertaken(maxAttempts, () => {
        signal.throwIfAborted();
        return this.#attempt(transaction, staged);
      });
    });
  }

  async #attempt<Answer, Result>(transaction: Transaction<Answer, Result>, staged: StagedBlobs): Promise<Result> {
    const decided: LayerChanges[] = [];
    const decide = async (changes: LayerChanges) => {
      decided.push(changes);
    };
    const store: FileStore = new LayeredFiles({ ...this.#deps, make: decide });
    const answer = await transaction.effect(store);
    const { database, nowMs } = this.#deps;
    const make = () =>
      database.transaction(async (tx) => {
        const known = await transaction.before(tx);
        if (known !== undefined) {
          return known;
        }
        for (const changes of decided) {
          await changeLayer(tx, this.#layer(staged), changes, nowMs());
        }
        return transaction.after(tx, answer);
      });
    return staged.run(make);
  }

  /** A change that nothing else is kept with. */
  async #make(changes: LayerChanges): Promise<void> {
    const { database, blobs, nowMs } = this.#deps;
    const staged = blobs.begin(new AbortController().signal);
    await staged.run(() => database.transaction((tx) => changeLayer(tx, this.#layer(staged), changes, nowMs())));
  }

  #layer(staged: StagedBlobs): ChangedLayer {
    const { viewId, uid, limits, quotas, lowerAt } = this.#deps;
    return { viewId, uid, limits, quotas, staged, meteredDisk: (path) => lowerAt(path).meteredDisk };
  }
}
