import { ChangeKind, FileKind } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { toDomainError } from '@spanwise/service-kit';
import type { FilesClient } from './service-fixture.ts';

/** One message as a client reads it: `ADDED /a.txt`, `DELETED /d` … */
export type Told = readonly string[];

/** A stream of Watch that was begun: nothing is missed from now on. */
export interface Watcher {
  /** All that was told since it was begun, by message; those without changes are left out. */
  readonly messages: readonly Told[];
  /** The same in one list. */
  readonly told: () => readonly string[];
  /** What a client has, who began with `listing` and has applied all that was told. */
  follow(listing: ReadonlyMap<string, string>): ReadonlyMap<string, string>;
  /** Ends the stream. */
  stop(): Promise<void>;
  /** Reason of its end. */
  readonly ended: Promise<string>;
}

const kindNames: Readonly<Record<number, string>> = {
  [ChangeKind.UNSPECIFIED]: 'UNSPECIFIED',
  [ChangeKind.ADDED]: 'ADDED',
  [ChangeKind.MODIFIED]: 'MODIFIED',
  [ChangeKind.DELETED]: 'DELETED',
};

interface Change {
  readonly path: string;
  readonly kind: ChangeKind;
  readonly etag: string;
}

export async function watch(client: FilesClient, viewId: string, path = ''): Promise<Watcher> {
  const abort = new AbortController();
  const stream = client.watch({ viewId, path }, { signal: abort.signal })[Symbol.asyncIterator]();
  const first = await stream.next();
  if (first.done === true || first.value.changes.length > 0) {
    throw new TypeError('the first message has changes');
  }
  const all: Change[][] = [];
  const read = async (): Promise<string> => {
    try {
      for (let next = await stream.next(); next.done !== true; next = await stream.next()) {
        if (next.value.changes.length > 0) {
          all.push(next.value.changes);
        }
      }
      return 'OK';
    } catch (error) {
      return reasonOf(error);
    }
  };
  const ended = read();
  const messages = () => all.map((changes) => changes.map((change) => `${kindNames[change.kind]} ${change.path}`));
  return {
    get messages() {
      return messages();
    },
    told: () => messages().flat(),
    follow: (listing) => all.flat().reduce(applied, new Map(listing)),
    async stop() {
      abort.abort();
      await ended;
    },
    ended,
  };
}

function applied(tree: Map<string, string>, { path, kind, etag }: Change): Map<string, string> {
  if (kind !== ChangeKind.DELETED) {
    return tree.set(path, etag);
  }
  [...tree.keys()].filter((each) => each === path || each.startsWith(`${path}/`)).forEach((each) => tree.delete(each));
  return tree;
}

/** All below a directory: etags of files, nothing for directories. */
export async function listing(client: FilesClient, viewId: string, path: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const { entries } = await client.list({ viewId, path, pageSize: 1000 });
  for (const entry of entries) {
    found.set(entry.path, entry.etag);
    if (entry.kind === FileKind.DIRECTORY) {
      (await listing(client, viewId, entry.path)).forEach((etag, each) => found.set(each, etag));
    }
  }
  return found;
}

/** Waits until something holds; 10 s at most. Answers how long that took, in milliseconds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<number> {
  const startMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - startMs > 10_000) {
      throw new RangeError('it did not come to hold');
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - startMs;
}

function reasonOf(error: unknown): string {
  const { reason } = toDomainError(error);
  return reason;
}
