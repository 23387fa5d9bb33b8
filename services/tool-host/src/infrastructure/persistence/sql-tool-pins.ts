import { type Database, isUniqueViolation } from '@spanwise/persistence';
import { maxPinsPerServer, type ToolPins } from '../mcp/tool-pins.ts';
import { databaseNow } from './database-now.ts';

type PinRow = { readonly tool: string; readonly hash: string };

/** Pins on prepared SQL: table `remote_tools`. */
export class SqlToolPins implements ToolPins {
  readonly #database: Database;
  readonly #insert: string;

  constructor(database: Database) {
    this.#database = database;
    this.#insert = `insert into remote_tools (server, tool, hash, created_at) values (?, ?, ?, ${databaseNow(database)})`;
  }

  async see(server: string, hashes: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
    const kept = await this.#kept(server);
    const missing = [...hashes].filter(([tool]) => !kept.has(tool)).slice(0, maxPinsPerServer - kept.size);
    for (const [tool, hash] of missing) {
      try {
        await this.#database.run(this.#insert, [server, tool, hash]);
      } catch (error) {
        // Another replica has seen it at the same time: what that one saw counts.
        if (!isUniqueViolation(error)) {
          throw error;
        }
      }
    }
    return missing.length === 0 ? kept : this.#kept(server);
  }

  async allow(server: string, tool: string, hash: string): Promise<void> {
    const sql = 'update remote_tools set hash = ? where server = ? and tool = ?';
    await this.#database.run(sql, [hash, server, tool]);
  }

  async #kept(server: string): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#database.all<PinRow>('select tool, hash from remote_tools where server = ?', [server]);
    return new Map(rows.map(({ tool, hash }) => [tool, hash]));
  }
}
