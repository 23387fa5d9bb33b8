import type { SqlExecutor } from '@spanwise/persistence';
import type { UnionDeps } from '../../application/ports/layers.ts';
import { emptyLayerRows } from '../../domain/layer/empty-layer.ts';
import type { LayerChanges } from '../../domain/layer/layer-rows.ts';
import { LayeredFiles } from '../../domain/layer/layered-files.ts';
import type { TreeItem } from '../../domain/layer/publishing.ts';
import { BlobPlace } from '../blobs/blob-place.ts';
import type { StagedBlobs } from '../blobs/staged-blobs.ts';
import type { Transaction, TransactionalStore } from '../changes/transactional-store.ts';
import { contentEtag } from '../disks/content-etag.ts';
import { changeBlobUses } from '../disks/tree/blobs.ts';
import { againWhenOvertaken, Overtaken } from '../disks/tree/overtaken.ts';
import { TreeChange } from '../disks/tree/tree-change.ts';
import { TreePublish } from '../disks/tree/tree-publish.ts';
import type { SqlLayersDeps } from './layer-end.ts';

/** Each lost attempt means that another writer has won: only met on a path that never comes to rest. */
const maxAttempts = 100;

/** What one transaction publishes. */
interface Planned {
  readonly decided: readonly LayerChanges[];
  readonly items: readonly TreeItem[];
  readonly pin: number;
  readonly staged: StagedBlobs;
}

/**
 * The files at a union mount for who changes the disks themselves: a change is decided as that of a run is, and published to
 * the first disk of the union at once.
 */
export class SqlUnionFiles extends LayeredFiles implements TransactionalStore {
  readonly #deps: SqlLayersDeps;
  readonly #union: UnionDeps;

  constructor(deps: SqlLayersDeps, union: UnionDeps) {
    super({ ...planningDeps(deps, union), make: (changes) => this.#make(changes) });
    this.#deps = deps;
    this.#union = union;
  }

  async transact<Answer, Result>(transaction: Transaction<Answer, Result>, signal: AbortSignal): Promise<Result> {
    const staged = this.#begin(signal);
    return againWhenOvertaken(maxAttempts, () => {
      signal.throwIfAborted();
      return this.#attempt(transaction, staged);
    });
  }

  async #attempt<Answer, Result>(transaction: Transaction<Answer, Result>, staged: StagedBlobs): Promise<Result> {
    const pin = await this.#union.head();
    const decided: LayerChanges[] = [];
    const make = async (changes: LayerChanges) => {
      decided.push(changes);
    };
    const answer = await transaction.effect(new LayeredFiles({ ...planningDeps(this.#deps, this.#union), make }));
    const items = await this.#locate(decided);
    const publish = () =>
      this.#deps.database.transaction(async (tx) => {
        const known = await transaction.before(tx);
        if (known !== undefined) {
          return known;
        }
        await this.#publish(tx, { decided, items, pin, staged });
        return transaction.after(tx, answer);
      });
    return staged.run(publish);
  }

  async #make(changes: LayerChanges): Promise<void> {
    const pin = await this.#union.head();
    const items = await this.#locate([changes]);
    const staged = this.#begin(new AbortController().signal);
    const planned = { decided: [changes], items, pin, staged };
    await staged.run(() => this.#deps.database.transaction((tx) => this.#publish(tx, planned)));
  }

  #begin(signal: AbortSignal): StagedBlobs {
    return (this.#deps.blobs ?? BlobPlace.inDatabase).begin(signal);
  }

  async #locate(decided: readonly LayerChanges[]): Promise<TreeItem[]> {
    const puts = new Map(decided.flatMap((each) => each.puts).map((put) => [put.entry.path.text, put.entry]));
    const entries = [...puts.values()].toSorted((a, b) => a.path.segments.length - b.path.segments.length);
    const items: TreeItem[] = [];
    for (const entry of entries) {
      items.push({ ...(await this.#union.locate(entry.path)), entry });
    }
    return items;
  }

  async #publish(tx: SqlExecutor, { decided, items, pin, staged }: Planned): Promise<void> {
    const { clock, ids, quotas } = this.#deps;
    const disk = items[0]?.disk;
    if (disk === undefined) {
      return;
    }
    const change = await TreeChange.begin({ name: disk, clock, ids, uid: this.#union.uid }, tx);
    const { conflicts, unused } = await TreePublish.run(change, items, { pin, overwrites: false });
    if (conflicts.length > 0) {
      throw new Overtaken(disk);
    }
    const contents = decided.flatMap(({ puts }) =>
      puts.flatMap(({ entry: { node }, ...content }) =>
        node.kind === 'file' ? [{ hash: node.etag, data: content.data, upload: content.upload }] : [],
      ),
    );
    await change.usage.apply(tx, quotas);
    await changeBlobUses(tx, contents, unused, staged);
  }
}

function planningDeps({ clock }: SqlLayersDeps, { lower, lowerAt }: UnionDeps) {
  return { rows: emptyLayerRows, lower, lowerAt, digest: contentEtag, nowMs: () => clock.nowMs() };
}
