import { brandId, type RunId } from '@spanwise/kernel';
import { type Database, insertRows, isUniqueViolation } from '@spanwise/persistence';
import { deletedFence } from '../../domain/change/change.ts';
import type { KeptVersion } from '../../domain/retention/prunable-versions.ts';
import type { RetentionRepository, VersionSearch } from '../../domain/retention/retention-repository.ts';
import { shareLock } from '../changes/session-fence.ts';
import { againWhenOvertaken, Overtaken } from '../disks/tree/overtaken.ts';
import { pinsOf } from '../persistence/view-mapping.ts';
import { emptyLayer, expireLayer } from './expire-layer.ts';
import { overfullPaths, pruneVersions, versionsOfPaths } from './prune-versions.ts';

const layerColumns = ['view_id', 'state', 'version', 'bytes', 'entries', 'change_time_ms', 'unpinned_ms'] as const;

/** Each lost attempt means that a view has made its first change meanwhile. */
const maxAttempts = 100;

/** See the port. Every transaction deletes a few hundred rows at most. */
export class SqlRetentionRepository implements RetentionRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  unpin(openedBeforeMs: number, nowMs: number, limit: number): Promise<number> {
    return againWhenOvertaken(maxAttempts, () => this.#unpin(openedBeforeMs, nowMs, limit));
  }

  async pins(openedAfterMs: number, unpinnedAfterMs: number): Promise<ReadonlyMap<string, readonly number[]>> {
    const rows = await this.#database.all<{ pins: string }>(
      `select v.pins from fs_layers l join fs_views v on v.id = l.view_id
          where l.state in ('OPEN', 'CONFLICT') and (l.unpinned_ms is null or l.unpinned_ms >= ?) and v.pins is not null
        union select v.pins from fs_views v left join fs_layers l on l.view_id = v.id
          where v.create_time_ms >= ? and v.pins is not null and l.view_id is null`,
      [unpinnedAfterMs, openedAfterMs],
    );
    const found = new Map<string, Set<number>>();
    for (const [disk, pin] of rows.flatMap(({ pins }) => pinsOf(pins))) {
      found.set(disk, (found.get(disk) ?? new Set()).add(pin));
    }
    return new Map([...found].map(([disk, pins]) => [disk, [...pins].toSorted((left, right) => left - right)]));
  }

  overfull(disk: string, search: VersionSearch): Promise<readonly string[]> {
    return overfullPaths(this.#database, disk, search);
  }

  versionsOf(disk: string, keys: readonly string[]): Promise<readonly KeptVersion[]> {
    return versionsOfPaths(this.#database, disk, keys);
  }

  prune(disk: string, versions: readonly KeptVersion[]): Promise<number> {
    return pruneVersions(this.#database, disk, versions);
  }

  async expiredLayers(beforeMs: number, limit: number): Promise<readonly RunId[]> {
    const where = "state in ('CONFLICT', 'PUBLISHING') and change_time_ms <= ?";
    return this.#layers(`${where} order by change_time_ms limit ${limit}`, beforeMs);
  }

  expire(viewId: RunId, beforeMs: number, nowMs: number): Promise<boolean> {
    return expireLayer(this.#database, viewId, beforeMs, nowMs);
  }

  async endedLayers(afterMs: number, limit: number): Promise<readonly RunId[]> {
    const where = "state in ('PUBLISHED', 'ROLLED_BACK') and change_time_ms >= ? and entries > 0";
    return this.#layers(`${where} limit ${limit}`, afterMs);
  }

  emptyLayer(viewId: RunId): Promise<boolean> {
    return emptyLayer(this.#database, viewId);
  }

  async forgetKeys(beforeMs: number, limit: number): Promise<number> {
    const [row] = await this.#database.all<{ up_to: number | null }>(
      `select max(create_time_ms) up_to from (select create_time_ms from fs_keys where create_time_ms <= ?
        order by create_time_ms limit ${limit}) oldest`,
      [beforeMs],
    );
    const upTo = row?.up_to ?? null;
    return upTo === null ? 0 : this.#database.run('delete from fs_keys where create_time_ms <= ?', [upTo]);
  }

  /** A row of its layer that says so: read with the layer anyway, so that no view pays for it. */
  #unpin(openedBeforeMs: number, nowMs: number, limit: number): Promise<number> {
    return this.#database.transaction(async (tx) => {
      // With the fences held, no data of a session is deleted meanwhile: no row is left behind.
      const views = await tx.all<{ id: string }>(
        `select v.id from fs_views v join fs_fences f on f.session_id = v.session_id
          left join fs_layers l on l.view_id = v.id
          where v.create_time_ms < ? and v.pins is not null and l.view_id is null and f.epoch < ?
          order by v.create_time_ms limit ${limit}${shareLock(this.#database.dialect)}`,
        [openedBeforeMs, deletedFence],
      );
      try {
        const rows = views.map(({ id }) => [id, 'OPEN', 1, 0, 0, nowMs, nowMs]);
        await insertRows(tx, 'fs_layers', layerColumns, rows);
      } catch (error) {
        throw isUniqueViolation(error) ? new Overtaken('of layers') : error;
      }
      return views.length;
    });
  }

  async #layers(which: string, timeMs: number): Promise<readonly RunId[]> {
    const rows = await this.#database.all<{ view_id: string }>(`select view_id from fs_layers where ${which}`, [
      timeMs,
    ]);
    return rows.map(({ view_id: id }) => brandId<RunId>(id));
  }
}
