import { brandId, type Uid } from '@spanwise/kernel';
import type { Database, SqlRow } from '@spanwise/persistence';
import type { Caller } from '../../domain/disk/caller.ts';
import { FileError } from '../../domain/disk/file-errors.ts';
import type { FileStore, RemoveRequest } from '../../domain/disk/file-store.ts';
import { VirtualPath } from '../../domain/path/virtual-path.ts';
import { toolResultsDisk } from '../../domain/view/tool-results.ts';

export interface ToolResultsSweepDeps {
  readonly database: Database;
  readonly disk: FileStore;
  /** Days since an output was written. */
  readonly days: number;
  /** Rows that one look takes; default 200. */
  readonly pageSize?: number;
}

interface FileRow extends SqlRow {
  readonly path: string;
  readonly blob_hash: string;
  readonly modify_time_ms: number;
}

const dayMs = 24 * 60 * 60_000;
/** What is removed counts for who wrote it. */
const nobody: Caller = { uid: brandId<Uid>(''), email: '', token: '' };

/** Removes outputs of tools that are older than they are kept, and what they leave of sessions that have none. */
export class ToolResultsSweep {
  readonly #deps: ToolResultsSweepDeps;
  readonly #pageSize: number;

  constructor(deps: ToolResultsSweepDeps) {
    this.#deps = deps;
    this.#pageSize = deps.pageSize ?? 200;
  }

  /** How many outputs were removed. Ends early when the signal is aborted. Throws DATABASE_UNAVAILABLE. */
  async sweep(nowMs: number, signal: AbortSignal): Promise<number> {
    let removed = 0;
    for (let isFull = true; isFull && !signal.aborted; ) {
      const rows = await this.#oldest(nowMs);
      const gone = await this.#removeAll(rows);
      removed += gone;
      isFull = rows.length === this.#pageSize && gone > 0;
    }
    await this.#forgetUsage();
    return removed;
  }

  async #removeAll(rows: readonly FileRow[]): Promise<number> {
    const folders = new Map<string, VirtualPath>();
    let removed = 0;
    for (const { path: text, blob_hash: ifMatch } of rows) {
      const path = VirtualPath.parse(text);
      folders.set(path.parent.text, path.parent);
      removed += (await this.#remove(path, { isRecursive: false, ifMatch })) ? 1 : 0;
    }
    for (const folder of folders.values()) {
      await this.#remove(folder, { isRecursive: false });
    }
    return removed;
  }

  /** Files are numbered in the order in which they were written, so that the old ones come first. */
  async #oldest(nowMs: number): Promise<readonly FileRow[]> {
    const rows = await this.#deps.database.all<FileRow>(
      `select path, blob_hash, modify_time_ms from fs_nodes where disk = ? and kind = 'f' order by head limit ${this.#pageSize}`,
      [toolResultsDisk],
    );
    return rows.filter(({ modify_time_ms: timeMs }) => timeMs <= nowMs - this.#deps.days * dayMs);
  }

  /** False for what somebody else has removed or written anew, and for a directory in which there is something. */
  async #remove(path: VirtualPath, request: RemoveRequest): Promise<boolean> {
    try {
      await this.#deps.disk.remove(nobody, path, request, new AbortController().signal);
      return true;
    } catch (error) {
      if (error instanceof FileError) {
        return false;
      }
      throw error;
    }
  }

  /** Each session has a row of its own, which is made again when it is missing. */
  async #forgetUsage(): Promise<void> {
    const { database } = this.#deps;
    const unused = 'bytes = 0 and files = 0 and reserved_bytes = 0 and reserved_files = 0';
    const rows = await database.all<{ uid: string }>(
      `select uid from fs_usage where disk = ? and ${unused} limit 1000`,
      [toolResultsDisk],
    );
    for (const { uid } of rows) {
      await database.run(`delete from fs_usage where disk = ? and uid = ? and ${unused}`, [toolResultsDisk, uid]);
    }
  }
}
