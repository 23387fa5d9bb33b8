import type { RunId } from '@spanwise/kernel';
import { type Database, insertRows, isUniqueViolation, type SqlExecutor } from '@spanwise/persistence';
import type { OutputLog, OutputPageRequest } from '../../domain/output/output-log.ts';
import { VirtualPath } from '../../domain/path/virtual-path.ts';
import { hashOfPath } from './path-hash.ts';

/** MySQL sorts by the first 1,024 bytes of a text only: a path is sorted piece by piece. */
const pathOrder = Array.from({ length: 16 }, (_, piece) => `substr(path, ${piece * 256 + 1}, 256)`).join(', ');

/** Keeps the output log in the table `fs_outputs`. */
export class SqlOutputLog implements OutputLog {
  readonly #database: Database;

  constructor({ database }: { readonly database: Database }) {
    this.#database = database;
  }

  async add(viewId: RunId, paths: readonly VirtualPath[]): Promise<void> {
    const [path, ...others] = paths;
    if (path !== undefined && others.length === 0) {
      // What every write does: without a transaction it is half the round trips.
      await addIfAbsent(this.#database, viewId, path.text);
    } else if (path !== undefined) {
      await this.#database.transaction(async (tx) => {
        for (const { text } of paths) {
          await addIfAbsent(tx, viewId, text);
        }
      });
    }
  }

  async forget(viewId: RunId, path: VirtualPath): Promise<void> {
    await this.#database.transaction(async (tx) => {
      await tx.run('delete from fs_outputs where view_id = ? and path_hash = ?', [viewId, hashOfPath(path.text)]);
      // `0` follows `/`: between them lies all that is below the path.
      const below = [viewId, `${path.text}/`, `${path.text}0`];
      await tx.run('delete from fs_outputs where view_id = ? and path > ? and path < ?', below);
    });
  }

  async forgetViews(viewIds: readonly RunId[]): Promise<void> {
    for (const viewId of viewIds) {
      await this.#database.run('delete from fs_outputs where view_id = ?', [viewId]);
    }
  }

  async list(viewId: RunId, { after, limit }: OutputPageRequest): Promise<readonly VirtualPath[]> {
    // A limit can not be a parameter in MySQL; with powers of two, few statements have to be prepared.
    const rows = await this.#database.all<{ path: string }>(
      `select path from fs_outputs where view_id = ? and path > ? order by ${pathOrder}
        limit ${2 ** Math.ceil(Math.log2(limit))}`,
      [viewId, after],
    );
    return rows.slice(0, limit).map(({ path }) => VirtualPath.parse(path));
  }
}

async function addIfAbsent(sql: SqlExecutor, viewId: RunId, path: string): Promise<void> {
  const there = await sql.all('select path_hash from fs_outputs where view_id = ? and path_hash = ?', [
    viewId,
    hashOfPath(path),
  ]);
  if (there.length > 0) {
    return;
  }
  try {
    await insertRows(sql, 'fs_outputs', ['view_id', 'path_hash', 'path'], [[viewId, hashOfPath(path), path]]);
  } catch (error) {
    // Another write of the same run was faster: as good.
    if (!isUniqueViolation(error)) {
      throw error;
    }
  }
}
