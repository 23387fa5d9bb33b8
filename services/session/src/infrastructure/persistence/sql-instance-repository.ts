import { brandId, type SessionId } from '@spanwise/kernel';
import { type Database, firstRow } from '@spanwise/persistence';
import type { Instance, InstanceRepository, WatchedSession } from '../../domain/instance/instance-repository.ts';
import { databaseNow } from './database-now.ts';

/** Session ids that one query asks for. */
const idsPerQuery = 1000;

type InstanceRow = { readonly id: string; readonly address: string };

/** Instances and their leases on prepared SQL. */
export class SqlInstanceRepository implements InstanceRepository {
  readonly #database: Database;
  /** SQL for now, by the database's clock. */
  readonly #now: string;

  constructor(database: Database) {
    this.#database = database;
    this.#now = databaseNow(database);
  }

  async register({ id, address }: Instance, leaseMs: number): Promise<void> {
    const sql = `insert into instances (id, address, lease_until, is_draining) values (?, ?, ${this.#now} + ?, 0)`;
    await this.#database.run(sql, [id, address, leaseMs]);
  }

  async renew(id: string, leaseMs: number): Promise<boolean> {
    const sql = `update instances set lease_until = ${this.#now} + ? where id = ? and lease_until > ${this.#now}`;
    return (await this.#database.run(sql, [leaseMs, id])) === 1;
  }

  async drain(id: string): Promise<void> {
    await this.#database.run('update instances set is_draining = 1 where id = ?', [id]);
  }

  async remove(id: string): Promise<void> {
    await this.#database.run('delete from instances where id = ?', [id]);
  }

  async removeOthers(id: string): Promise<void> {
    await this.#database.run('delete from instances where id <> ?', [id]);
  }

  async removeDead(olderThanMs: number): Promise<void> {
    await this.#database.run(`delete from instances where lease_until < ${this.#now} - ?`, [olderThanMs]);
  }

  async alive(): Promise<readonly Instance[]> {
    const sql = `select id, address from instances where lease_until > ${this.#now} and is_draining = 0`;
    return this.#database.all<InstanceRow>(sql, []);
  }

  async find(id: string): Promise<Instance | undefined> {
    return firstRow<InstanceRow>(this.#database, 'select id, address from instances where id = ?', [id]);
  }

  async watched(sessionIds: readonly SessionId[]): Promise<readonly WatchedSession[]> {
    const found: WatchedSession[] = [];
    for (let from = 0; from < sessionIds.length; from += idsPerQuery) {
      found.push(...(await this.#watched(sessionIds.slice(from, from + idsPerQuery))));
    }
    return found;
  }

  async #watched(ids: readonly SessionId[]): Promise<readonly WatchedSession[]> {
    type Row = {
      readonly id: string;
      readonly last_seq: number;
      readonly owner: string | null;
      readonly address: string | null;
    };
    const rows = await this.#database.all<Row>(
      `select s.id, s.last_seq, i.id owner, i.address from sessions s
        left join runs r on r.id = s.active_run_id
        left join instances i on i.id = r.owner_id and i.lease_until > ${this.#now}
        where s.id in (${ids.map(() => '?').join(', ')}) and (s.deleted_at is null or s.active_run_id is not null)`,
      ids,
    );
    return rows.map(({ id, last_seq: lastSeq, owner, address }) => ({
      sessionId: brandId<SessionId>(id),
      lastSeq,
      owner: owner === null || address === null ? undefined : { id: owner, address },
    }));
  }
}
