import { brandId, type SessionId, type Uid } from '@spanwise/kernel';
import type { Database, SqlValue } from '@spanwise/persistence';
import type {
  DeletedSession,
  RetentionPolicy,
  RetentionRepository,
  TrimmableSession,
} from '../../domain/session/retention-repository.ts';

/** Rows that one statement deletes: it must not hold its locks for long. */
const batch = 2_000;

/** Throws old rows away, in small steps. */
export class SqlRetentionRepository implements RetentionRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async trimmable(
    { maxEvents, maxAgeMs }: RetentionPolicy,
    nowMs: number,
    after: SessionId | undefined,
    limit: number,
  ): Promise<readonly TrimmableSession[]> {
    const sql = `select s.id, (select max(r.terminal_seq) from runs r where r.session_id = s.id
          and r.terminal_seq >= s.first_seq and (r.ended_at <= ? or r.terminal_seq <= s.last_seq - ?)) until_seq
        from sessions s where s.id > ? and s.last_seq >= s.first_seq order by s.id limit ${limit}`;
    const parameters = [
      maxAgeMs === undefined ? -1 : nowMs - maxAgeMs,
      maxEvents ?? Number.MAX_SAFE_INTEGER,
      after ?? '',
    ];
    const rows = await this.#database.all<{ id: string; until_seq: number | null }>(sql, parameters);
    return rows.map(({ id, until_seq }) => ({ id: brandId<SessionId>(id), untilSeq: until_seq ?? undefined }));
  }

  async trim(id: SessionId, untilSeq: number): Promise<number> {
    const begin = 'update sessions set first_seq = ? where id = ? and first_seq <= ? and last_seq >= ?';
    await this.#database.run(begin, [untilSeq + 1, id, untilSeq, untilSeq]);
    // Also what an earlier trim has left behind.
    return this.#deleteAll('ui_events', 'seq', id, 'seq <= ?', [untilSeq]);
  }

  async purgeable(deletedBeforeMs: number, limit: number): Promise<readonly DeletedSession[]> {
    const rows = await this.#database.all<{ id: string; uid: string }>(
      `select id, uid from sessions where deleted_at <= ? and active_run_id is null
        order by deleted_at limit ${limit}`,
      [deletedBeforeMs],
    );
    return rows.map(({ id, uid }) => ({ id: brandId<SessionId>(id), uid: brandId<Uid>(uid) }));
  }

  async purge(id: SessionId): Promise<void> {
    await this.#deleteAll('ui_events', 'seq', id, '1 = 1', []);
    await this.#deleteAll('llm_context', 'seq', id, '1 = 1', []);
    await this.#database.transaction(async (tx) => {
      await tx.run('delete from interrupts where run_id in (select id from runs where session_id = ?)', [id]);
      await tx.run('delete from runs where session_id = ?', [id]);
      await tx.run('delete from sessions where id = ? and deleted_at is not null and active_run_id is null', [id]);
    });
  }

  /** Deletes rows of a session from the lowest on. Answers how many. */
  async #deleteAll(
    table: string,
    order: string,
    id: SessionId,
    where: string,
    parameters: readonly SqlValue[],
  ): Promise<number> {
    let deleted = 0;
    for (;;) {
      const [row] = await this.#database.all<{ up_to: number | null }>(
        `select max(${order}) up_to from (select ${order} from ${table} where session_id = ? and ${where}
          order by ${order} limit ${batch}) oldest`,
        [id, ...parameters],
      );
      if (row === undefined || row.up_to === null) {
        return deleted;
      }
      const sql = `delete from ${table} where session_id = ? and ${order} <= ?`;
      deleted += await this.#database.run(sql, [id, row.up_to]);
    }
  }
}
