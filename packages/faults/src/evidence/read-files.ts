import { createHash } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { z } from 'zod';
import { databaseNames } from '../cluster/database-names.ts';
import type { FileRow, LayerRow, LayerState } from './evidence.ts';
import { rowsOf } from './rows-of.ts';

const { filesystem } = databaseNames;

/** Mounts as a row of `fs_views` has them. */
const storedMounts = z.array(
  z.object({
    path: z.string(),
    isOutput: z.boolean(),
    sources: z.array(z.object({ disk: z.string(), remote: z.string() })),
  }),
);

/** Where a directory of a disk is seen. */
interface Place {
  readonly sessionId: string;
  readonly mount: string;
  readonly isOutput: boolean;
}

/** The layers of all runs that have changed or ended something. */
export async function readLayers(connection: Connection): Promise<readonly LayerRow[]> {
  const rows = await rowsOf(
    connection,
    `select l.view_id, l.state, (select count(*) from ${filesystem}.fs_layer_nodes n where n.view_id = l.view_id) entries
      from ${filesystem}.fs_layers l`,
  );
  return rows.map((row) => ({
    runId: String(row.view_id),
    state: row.state as LayerState,
    entries: Number(row.entries),
  }));
}

/** Files of tree disks below mounts that are private to a session, with all versions that are kept; in the order of changes. */
export async function readFiles(connection: Connection): Promise<readonly FileRow[]> {
  const places = placesOf(await rowsOf(connection, `select session_id, mounts from ${filesystem}.fs_views`));
  const intact = intactHashes(
    await rowsOf(connection, `select hash, position, data from ${filesystem}.fs_blob_chunks order by hash, position`),
  );
  const columns = 'disk, path, head, blob_hash, size';
  const rows = await rowsOf(
    connection,
    `select ${columns}, null to_head from ${filesystem}.fs_nodes where kind = 'f'
      union all select ${columns}, to_head from ${filesystem}.fs_versions where kind = 'f' order by head`,
  );
  return rows.flatMap((row) => {
    const path = String(row.path);
    const folder = foldersOf(path).find((each) => places.has(`${row.disk} ${each}`));
    const place = folder === undefined ? undefined : places.get(`${row.disk} ${folder}`);
    if (folder === undefined || place === undefined) {
      return [];
    }
    const { sessionId, mount, isOutput } = place;
    const hash = String(row.blob_hash);
    const heads = { head: Number(row.head), toHead: row.to_head === null ? undefined : Number(row.to_head) };
    const seenAt = `${mount}${path.slice(folder.length)}`;
    return [{ sessionId, path: seenAt, isOutput, ...heads, hash, size: Number(row.size), isIntact: intact.has(hash) }];
  });
}

/** By disk and directory. One that several sessions see is no session's own. */
function placesOf(views: readonly RowDataPacket[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  const shared = new Set<string>();
  for (const { session_id, mounts } of views) {
    const sessionId = String(session_id);
    for (const { path: mount, isOutput, sources } of storedMounts.parse(JSON.parse(String(mounts)))) {
      for (const { disk, remote } of sources) {
        const key = `${disk} ${remote}`;
        if (places.has(key) && places.get(key)?.sessionId !== sessionId) {
          shared.add(key);
        }
        places.set(key, { sessionId, mount, isOutput });
      }
    }
  }
  shared.forEach((key) => places.delete(key));
  return places;
}

/** The directories above a path, the nearest first. */
function foldersOf(path: string): readonly string[] {
  const segments = path.split('/');
  return segments.map((_, index) => segments.slice(0, segments.length - index).join('/')).slice(1, -1);
}

/** The hashes whose blobs have the content that they say. */
function intactHashes(chunks: readonly RowDataPacket[]): ReadonlySet<string> {
  const byHash = Map.groupBy(chunks, ({ hash }) => String(hash));
  const intact = [...byHash].filter(([hash, rows]) => {
    const digest = createHash('sha256');
    rows.forEach(({ data }) => digest.update(data as Uint8Array));
    return digest.digest('hex') === hash;
  });
  return new Set(intact.map(([hash]) => hash));
}
