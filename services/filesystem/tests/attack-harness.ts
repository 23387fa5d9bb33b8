import { brandId, type RunId } from '@spanwise/kernel';
import { expect } from 'vitest';
import type { FileStore } from '../src/domain/disk/file-store.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { ada, bob, type FilesFixture, filesFixture, mount, never, sessionId, utf8, viewId } from './files-fixture.ts';

/** What no attack may tell. */
export const secret = 'THE-SECRET';
const book = 'a book that stays as it is';

/** Ada's view on a disk that also holds what is none of her business. */
export interface AttackedView {
  readonly files: FilesFixture;
  /** Tries everything with a path; answers all that came back, failures included. */
  attack(path: string): Promise<readonly unknown[]>;
  /** Fails unless the secrets are where they were and the book is as it was. */
  assertUnharmed(): Promise<void>;
}

/** Longer than any of them takes: an attack that makes a call wait for ever has succeeded. */
const patienceMs = 5000;

export async function attackedView(store: FileStore): Promise<AttackedView> {
  const at = (path: string) => VirtualPath.parse(path);
  const secrets = ['/secret.txt', '/bob/secret.txt', '/workspace-evil/secret.txt', '/adaevil/secret.txt'];
  for (const path of secrets) {
    await store.write(bob, at(path), utf8(secret), {}, never);
  }
  await store.write(bob, at('/shared/book.txt'), utf8(book), {}, never);
  const files = await filesFixture({
    disks: new Map([['work', store]]),
    mounts: [
      mount('/workspace', { remote: '/{uid}', isOutput: true }),
      mount('/library', { remote: '/shared', isReadOnly: true }),
    ],
  });
  await files.put('/workspace/own/mine.txt', 'mine');
  const read = async (path: string) =>
    new TextDecoder().decode((await store.read(bob, at(path), { offset: 0, length: 100 }, never)).data);
  return {
    files,
    attack: (path) => withinPatience(Promise.all(operations(files, path).map(outcomeOf))),
    async assertUnharmed() {
      expect(await Promise.all(secrets.map(read))).toEqual(secrets.map(() => secret));
      expect(await read('/shared/book.txt')).toBe(book);
      const { entries } = await store.list(bob, at('/'), { after: '', limit: 100, withEtags: false }, never);
      expect(entries.map(({ name }) => name)).toEqual([
        'ada',
        'adaevil',
        'bob',
        'secret.txt',
        'shared',
        'workspace-evil',
      ]);
    },
  };
}

function operations(files: FilesFixture, path: string): Promise<unknown>[] {
  const named = { viewId, path };
  const own = '/workspace/own/mine.txt';
  return [
    files.text(path),
    files.stat.execute(ada, named, never),
    files.names(path),
    files.put(path, 'written by an attack'),
    files.editFile.execute(
      ada,
      { ...named, oldText: secret, newText: 'gone', replaceAll: true, ifMatch: undefined },
      never,
    ),
    files.makeDirectory.execute(ada, named, never),
    files.move.execute(ada, { viewId, fromPath: path, toPath: '/workspace/stolen' }, never),
    files.text('/workspace/stolen'),
    files.move.execute(ada, { viewId, fromPath: own, toPath: path }, never),
    files.glob.execute(ada, { ...named, pattern: '**', limit: 100 }, never),
    files.glob.execute(ada, { viewId, path: '/', pattern: path.slice(0, 1000), limit: 100 }, never),
    files.search('SECRET', { path }),
    files.delete.execute(ada, { ...named, isRecursive: true }, never),
    files.openView.execute(ada, { viewId: brandId<RunId>(path.slice(0, 30)), sessionId }),
  ];
}

async function outcomeOf(operation: Promise<unknown>): Promise<unknown> {
  try {
    return { answer: await operation };
  } catch (error) {
    return { failure: error instanceof Error && 'reason' in error ? error.reason : String(error) };
  }
}

export async function withinPatience<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RangeError('an attack made a call wait')), patienceMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Fails when something that came back tells the secret. */
export function assertNothingTold(outcomes: readonly unknown[]): void {
  expect(JSON.stringify(outcomes)).not.toContain(secret);
}
