import type { Database } from '@spanwise/persistence';
import type { Instance, InstanceRepository } from '../../domain/instance/instance-repository.ts';
import { databaseNow } from './database-now.ts';

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
    const sql = `insert into instances (id, address, lease_until) values (?, ?, ${this.#now} + ?)`;
    await this.#database.run(sql, [id, address, leaseMs]);
  }

  async renew(id: string, leaseMs: number): Promise<boolean> {
    const sql = `update instances set lease_until = ${this.#now} + ? where id = ? and lease_until > ${this.#now}`;
    return (await this.#database.run(sql, [leaseMs, id])) === 1;
  }

  async remove(id: string): Promise<void> {
    await this.#database.run('delete from instances where id = ?', [id]);
  }

  async removeAll(): Promise<void> {
    await this.#database.run('delete from instances', []);
  }

  async removeDead(olderThanMs: number): Promise<void> {
    await this.#database.run(`delete from instances where lease_until < ${this.#now} - ?`, [olderThanMs]);
  }

  async alive(): Promise<readonly Instance[]> {
    const sql = `select id, address from instances where lease_until > ${this.#now}`;
    return this.#database.all<InstanceRow>(sql, []);
  }
}
