import type { RunId, SessionId } from '@spanwise/kernel';
import { insertRows, isUniqueViolation, type OpenDatabase } from '@spanwise/persistence';
import { deletedFence } from '../../domain/change/change.ts';
import { fenced } from '../../domain/change/change-errors.ts';
import type { SessionView } from '../../domain/view/session-view.ts';
import type { ViewRepository } from '../../domain/view/view-repository.ts';
import { heldFence } from '../changes/session-fence.ts';
import { viewFromRow, viewToRow } from './view-mapping.ts';
import { ViewRecord } from './view-record.ts';

const columns = ['id', 'uid', 'session_id', 'mounts', 'create_time_ms', 'pins'] as const;

/** Views that are kept in memory. */
const maxCached = 4096;

/** The only form of an id that is looked up: MySQL would ignore spaces after it. */
const idForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Views on MikroORM, for MySQL and SQLite. They never change, so that those in use are read once. */
export class MikroOrmViewRepository implements ViewRepository {
  readonly #database: Pick<OpenDatabase, 'orm' | 'sql'>;
  readonly #cached = new Map<string, SessionView>();

  constructor({ database }: { readonly database: Pick<OpenDatabase, 'orm' | 'sql'> }) {
    this.#database = database;
  }

  async find(id: string): Promise<SessionView | undefined> {
    const cached = this.#cached.get(id);
    if (cached !== undefined) {
      return cached;
    }
    const record = idForm.test(id) ? await this.#database.orm((em) => em.findOne(ViewRecord, { id })) : null;
    return record === null ? undefined : this.#cache(viewFromRow(record));
  }

  async addIfAbsent(view: SessionView): Promise<SessionView> {
    try {
      await this.#insert(view);
      return this.#cache(view);
    } catch (error) {
      const kept = isUniqueViolation(error) ? await this.find(view.id) : undefined;
      if (kept === undefined) {
        throw error;
      }
      return kept;
    }
  }

  async ofSession(sessionId: SessionId): Promise<readonly SessionView[]> {
    const records = await this.#database.orm((em) => em.find(ViewRecord, { sessionId }));
    return records.map(viewFromRow);
  }

  async delete(ids: readonly RunId[]): Promise<void> {
    for (const id of ids) {
      await this.#database.sql.run('delete from fs_views where id = ?', [id]);
      this.#cached.delete(id);
    }
  }

  async #insert(view: SessionView): Promise<void> {
    // Once a run: without the ORM it costs a tenth.
    const { id, uid, sessionId, mounts, createTimeMs, pins } = viewToRow(view);
    const { sql } = this.#database;
    await sql.transaction(async (tx) => {
      if ((await heldFence(tx, sql.dialect, sessionId)) === deletedFence) {
        throw fenced();
      }
      await insertRows(tx, 'fs_views', columns, [[id, uid, sessionId, mounts, createTimeMs, pins ?? null]]);
    });
  }

  #cache(view: SessionView): SessionView {
    this.#cached.set(view.id, view);
    if (this.#cached.size > maxCached) {
      // A map keeps the order in which it was filled.
      const [oldest] = this.#cached.keys();
      this.#cached.delete(oldest ?? '');
    }
    return view;
  }
}
