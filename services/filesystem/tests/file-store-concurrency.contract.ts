import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FileStore, maxFileBytes } from '../src/domain/disk/file-store.ts';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { ada, never, utf8 } from './files-fixture.ts';
import type { StoreUnderTest } from './stores-under-test.ts';

const at = (text: string) => VirtualPath.parse(text);
const all = { after: '', limit: 100, withEtags: true };

/** The part of the contract about many callers at once. */
export function fileStoreConcurrencyContract(open: () => Promise<StoreUnderTest>): void {
  let under: StoreUnderTest;
  let store: FileStore;
  beforeEach(async () => {
    under = await open();
    store = under.store;
  });
  afterEach(() => under[Symbol.asyncDispose]());

  const put = (path: string, text: string, guard = {}) => store.write(ada, at(path), utf8(text), guard, never);
  const text = async (path: string) =>
    new TextDecoder().decode((await store.read(ada, at(path), { offset: 0, length: maxFileBytes }, never)).data);
  const names = async (path: string) => (await store.list(ada, at(path), all, never)).entries.map(({ name }) => name);

  test('lets exactly one of 50 concurrent creations win', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        put('/race/x', `writer ${index}`, { createOnly: true }).then(
          () => index,
          () => undefined,
        ),
      ),
    );
    const winners = outcomes.filter((index) => index !== undefined);
    expect(winners).toHaveLength(1);
    expect(await text('/race/x')).toBe(`writer ${winners[0]}`);
  });

  test('loses no update: one of 50 writers with the same etag wins each round', async () => {
    let { etag } = (await put('/count', '0')).node;
    const writers = [store, under.replica ?? store];
    for (let round = 1; round <= 5; round += 1) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 50 }, (_, index) =>
          (writers[index % 2] ?? store).write(ada, at('/count'), utf8(`${round}.${index}`), { ifMatch: etag }, never),
        ),
      );
      const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
      expect(won).toHaveLength(1);
      const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(lost.every(({ reason }) => (reason as { reason: string }).reason === 'ETAG_MISMATCH')).toBe(true);
      etag = won[0]?.value.node.etag ?? '';
      expect((await store.stat(ada, at('/count'), never)) as object).toMatchObject({ etag });
    }
  });

  test('takes all of 50 unguarded writers to one path and to many', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, index) => put('/same', `writer ${index}`)));
    expect(await text('/same')).toMatch(/^writer \d+$/);
    await Promise.all(Array.from({ length: 50 }, (_, index) => put(`/many/${index % 7}/${index}`, String(index))));
    expect(await names('/many')).toEqual(['0', '1', '2', '3', '4', '5', '6']);
  });

  test('shows readers whole files while they are replaced', async () => {
    const contents = ['a'.repeat(300_000), 'b'.repeat(700_000)];
    await put('/x', contents[0] ?? '');
    let isDone = false;
    const writing = (async () => {
      for (let index = 0; index < 20; index += 1) {
        await put('/x', contents[index % 2] ?? '');
      }
      isDone = true;
    })();
    while (!isDone) {
      const slice = await store.read(ada, at('/x'), { offset: 0, length: maxFileBytes }, never);
      const seen = new TextDecoder().decode(slice.data);
      expect(contents.includes(seen) && slice.node.size === seen.length).toBe(true);
    }
    await writing;
  });

  test('keeps the tree whole while directories are written into, moved and removed', async () => {
    const work = Array.from({ length: 60 }, (_, index) => {
      switch (index % 4) {
        case 0:
          return put(`/busy/d${index % 3}/f${index}`, 'x');
        case 1:
          return store.remove(ada, at(`/busy/d${index % 3}`), { isRecursive: true }, never);
        case 2:
          return store.rename(ada, at(`/busy/d${index % 3}`), at(`/busy/moved${index}`), never);
        default:
          return put(`/busy/d${index % 3}/sub/g${index}`, 'y');
      }
    });
    const outcomes = await Promise.allSettled(work);
    const reasons = outcomes.flatMap((each) =>
      each.status === 'rejected' ? [(each.reason as { reason?: string }).reason ?? String(each.reason)] : [],
    );
    expect(reasons.filter((reason) => reason !== 'FILE_NOT_FOUND')).toEqual([]);
    // Whatever the order was: everything that is listed can be read, and all of it can be removed.
    const visit = async (path: VirtualPath): Promise<void> => {
      for (const { name, node } of (await store.list(ada, path, all, never)).entries) {
        await (node.kind === 'directory' ? visit(path.child(name)) : text(path.child(name).text));
      }
    };
    await visit(at('/'));
    await store.remove(ada, at('/busy'), { isRecursive: true }, never);
    expect(await names('/')).toEqual([]);
  });
}
