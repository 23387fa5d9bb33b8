import type { RunId } from '@spanwise/kernel';
import type { Database, SqlRow } from '@spanwise/persistence';
import { paddedToPowerOfTwo } from '../persistence/padded.ts';

/** Where disks and layers stand. */
export interface Standings {
  readonly heads: ReadonlyMap<string, number>;
  readonly layers: ReadonlyMap<RunId, string>;
}

interface LayerRow extends SqlRow {
  readonly view_id: string;
  readonly version: number;
  readonly state: string;
}

/** Layers that are named in one statement at most. */
const maxLayers = 256;

/** Reads where disks and layers stand: the disks all at one moment, and not before the layers. */
export async function readStandings(
  sql: Database,
  disks: readonly string[],
  viewIds: readonly RunId[],
): Promise<Standings> {
  const layers = new Map<RunId, string>(viewIds.map((viewId) => [viewId, '']));
  for (let done = 0; done < viewIds.length; done += maxLayers) {
    const ids = paddedToPowerOfTwo(viewIds.slice(done, done + maxLayers));
    const marks = ids.map(() => '?').join(', ');
    const rows = await sql.all<LayerRow>(
      `select view_id, version, state from fs_layers where view_id in (${marks})`,
      ids,
    );
    rows.forEach((row) => layers.set(row.view_id as RunId, `${row.state} ${row.version}`));
  }
  const heads = new Map<string, number>(disks.map((disk) => [disk, 0]));
  if (disks.length > 0) {
    const names = paddedToPowerOfTwo(disks);
    const marks = names.map(() => '?').join(', ');
    const rows = await sql.all<{ disk: string; head: number }>(
      `select disk, head from fs_heads where disk in (${marks})`,
      names,
    );
    rows.forEach(({ disk, head }) => heads.set(disk, head));
  }
  return { heads, layers };
}
