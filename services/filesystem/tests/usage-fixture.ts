import type { Database, SqlRow } from '@spanwise/persistence';
import fc from 'fast-check';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { ada, bob, failureOf, never } from './files-fixture.ts';
import type { LayersFixture, OpenedView } from './layers-fixture.ts';

/** What users have, by uid: bytes, files, reserved bytes, reserved files. Users who have nothing are left out. */
export type Uses = Readonly<Record<string, readonly number[]>>;

interface CountRow extends SqlRow {
  readonly uid: string;
  readonly bytes: number | string;
  readonly files: number | string;
}

/** What `fs_usage` says of a disk. */
export async function writtenUses(sql: Database, disk: string): Promise<Uses> {
  const query = 'select uid, bytes, files, reserved_bytes, reserved_files from fs_usage where disk = ? order by uid';
  const rows = await sql.all<SqlRow & { readonly uid: string }>(query, [disk]);
  return withoutIdle(
    rows.map(({ uid, bytes, files, reserved_bytes: kept, reserved_files: keptFiles }) => {
      return [uid, [bytes, files, kept, keptFiles].map(Number)];
    }),
  );
}

/** The same by a count of all files of the disk and of all layers that are not over: for views with this one disk. */
export async function countedUses(sql: Database, disk: string): Promise<Uses> {
  const used = await sql.all<CountRow>(
    `select owner as uid, sum(size) as bytes, count(*) as files from fs_nodes
      where disk = ? and kind = 'f' and owner <> '' group by owner`,
    [disk],
  );
  const reserved = await sql.all<CountRow>(
    `select v.uid, sum(n.size) as bytes, count(*) as files from fs_layers l
      join fs_views v on v.id = l.view_id join fs_layer_nodes n on n.view_id = l.view_id
      where l.state in ('OPEN', 'CONFLICT') and n.kind = 'f' and v.mounts like ? group by v.uid`,
    [`%"${disk}"%`],
  );
  const of = (rows: readonly CountRow[], uid: string) => {
    const row = rows.find((each) => each.uid === uid);
    return [Number(row?.bytes ?? 0), Number(row?.files ?? 0)];
  };
  const uids = [...new Set([...used, ...reserved].map(({ uid }) => uid))].toSorted();
  return withoutIdle(uids.map((uid) => [uid, [...of(used, uid), ...of(reserved, uid)]]));
}

function withoutIdle(uses: readonly (readonly [string, readonly number[]])[]): Uses {
  return Object.fromEntries(uses.filter(([, each]) => each.some((value) => value !== 0)));
}

const users = [ada, bob] as const;

/** A step of one of two users, by clients outside of runs or in one of two runs of each. */
export interface UseStep {
  readonly type: 'put' | 'remove' | 'move' | 'copy' | 'makeDirectory' | 'commit' | 'rollBack' | 'erase' | 'forget';
  readonly user: 0 | 1;
  /** 0 for a client outside of runs. */
  readonly run: 0 | 1 | 2;
  readonly path: string;
  readonly to: string;
  readonly size: number;
  readonly overwrites: boolean;
}

const path = fc
  .array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 })
  .map((segments) => `/workspace/${segments.join('/')}`);

export const useStep: fc.Arbitrary<UseStep> = fc.record({
  type: fc.oneof(
    { weight: 10, arbitrary: fc.constant('put' as const) },
    { weight: 4, arbitrary: fc.constantFrom('remove' as const, 'move' as const, 'copy' as const) },
    { weight: 1, arbitrary: fc.constant('makeDirectory' as const) },
    { weight: 3, arbitrary: fc.constant('commit' as const) },
    { weight: 1, arbitrary: fc.constantFrom('rollBack' as const, 'erase' as const, 'forget' as const) },
  ),
  user: fc.constantFrom(0 as const, 1 as const),
  run: fc.constantFrom(0 as const, 0 as const, 1 as const, 2 as const),
  path,
  to: path,
  size: fc.nat({ max: 12 }),
  overwrites: fc.boolean(),
});

/** The views of two users on one disk, of which runs are opened when they are first needed, and again when they are over. */
export class UsersOfDisk {
  readonly #files: LayersFixture;
  readonly #views = new Map<string, Promise<OpenedView>>();
  #written = 0;

  constructor(files: LayersFixture) {
    this.#files = files;
  }

  /** Takes a step; answers the reason when it can not be taken. */
  async take(step: UseStep): Promise<string | undefined> {
    const failure = await failureOf(this.#take(step));
    if (typeof failure === 'string') {
      return undefined;
    }
    if (typeof failure !== 'object' || failure === null || !('reason' in failure)) {
      throw failure;
    }
    return String(failure.reason);
  }

  async #take({ type, user, run, path: at, to, size, overwrites }: UseStep): Promise<void> {
    const key = `${user} ${run}`;
    const opened = this.#views.get(key) ?? this.#files.open(run > 0, { caller: users[user] });
    this.#views.set(key, opened);
    const view = await opened;
    switch (type) {
      case 'put':
        this.#written += 1;
        await view.put(at, String(this.#written % 7).repeat(size));
        return;
      case 'move':
        await view.move(at, to);
        return;
      case 'copy': {
        const request = { viewId: view.viewId, epoch: 1, fromPath: at, toPath: to };
        await this.#files.copy.execute(users[user], request, never);
        return;
      }
      case 'remove':
      case 'makeDirectory':
        await view[type](at);
        return;
      case 'erase':
        await this.#files.tree.erase(VirtualPath.parse(at.slice('/workspace'.length)));
        return;
      case 'commit':
        if ((await view.commit(overwrites)).result !== 'CONFLICT') {
          this.#views.delete(key);
        }
        return;
      case 'rollBack':
        await view.rollBack();
        this.#views.delete(key);
        return;
      case 'forget':
        this.#views.delete(key);
        await this.#files.deleteSessionData.execute(users[user], view.sessionId, never);
    }
  }
}
