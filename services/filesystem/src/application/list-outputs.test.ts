import { brandId, type RunId } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import {
  ada,
  failureOf,
  filesFixture,
  mount,
  never,
  sessionId,
  usualMounts,
  viewId,
} from '../../tests/files-fixture.ts';

async function fixture() {
  const files = await filesFixture({ mounts: [...usualMounts, mount('/scratch', { remote: '/scratch' })] });
  const outputs = async (view: string = viewId) => {
    const page = await files.listOutputs.execute(ada, { viewId: view, pageSize: 100, pageToken: '' }, never);
    return page.files.map(({ path, mediaType }) => `${path.text} ${mediaType}`);
  };
  const edit = (path: string, oldText: string, newText: string) =>
    files.editFile.execute(ada, { viewId, path, oldText, newText, replaceAll: false, ifMatch: undefined }, never);
  const move = (fromPath: string, toPath: string) => files.move.execute(ada, { viewId, fromPath, toPath }, never);
  const remove = (path: string) =>
    files.delete.execute(ada, { viewId, path, isRecursive: true, ifMatch: undefined }, never);
  return { files, outputs, edit, move, remove };
}

test('lists what the run wrote, edited and moved under output mounts, by path', async () => {
  const { files, outputs, edit, move } = await fixture();
  await files.put('/workspace/b.md', '# b');
  await files.put('/workspace/a.csv', 'x,y');
  await files.put('/workspace/a.csv', 'x,z');
  await files.put('/scratch/not-output.txt', 'x');
  await files.put('/scratch/moved.txt', 'x');
  await edit('/workspace/b.md', 'b', 'c');
  await move('/scratch/moved.txt', '/workspace/sub/moved.txt');
  await files.makeDirectory.execute(ada, { viewId, path: '/workspace/empty' }, never);
  expect(await outputs()).toEqual([
    '/workspace/a.csv text/csv',
    '/workspace/b.md text/markdown',
    '/workspace/sub/moved.txt text/plain',
  ]);
});

test('follows what is moved and forgets what is deleted', async () => {
  const { files, outputs, move, remove } = await fixture();
  await Promise.all(['d/1', 'd/e/2', 'd0', 'd-'].map((name) => files.put(`/workspace/${name}`, name)));
  await move('/workspace/d', '/workspace/moved');
  expect(await outputs()).toEqual(
    ['/workspace/d-', '/workspace/d0', '/workspace/moved/1', '/workspace/moved/e/2'].map(
      (path) => `${path} text/plain`,
    ),
  );
  await remove('/workspace/moved');
  await move('/workspace/d0', '/scratch/d0');
  expect(await outputs()).toEqual(['/workspace/d- text/plain']);
});

test('tells the files of each run apart, though they share a workspace', async () => {
  const { files, outputs } = await fixture();
  await files.put('/workspace/first', '1');
  const next = brandId<RunId>('00000000-0000-7000-8000-0000000000a2');
  await files.openView.execute(ada, { viewId: next, sessionId });
  expect(await outputs(next)).toEqual([]);
  await files.writeFile.execute(ada, { viewId: next, path: '/workspace/second', data: new Uint8Array(1) }, never);
  await files.delete.execute(ada, { viewId: next, path: '/workspace/first', isRecursive: false }, never);
  expect(await outputs(next)).toEqual(['/workspace/second application/octet-stream']);
  expect(await outputs()).toEqual([]);
});

test('fills pages from beyond what is gone', async () => {
  const { files } = await fixture();
  for (let index = 10; index < 20; index += 1) {
    await files.put(`/workspace/${index}`, 'x');
  }
  const next = brandId<RunId>('00000000-0000-7000-8000-0000000000a2');
  await files.openView.execute(ada, { viewId: next, sessionId });
  for (const index of [10, 11, 14, 19]) {
    await files.delete.execute(ada, { viewId: next, path: `/workspace/${index}`, isRecursive: false }, never);
  }
  const pages: string[][] = [];
  let pageToken = '';
  do {
    const page = await files.listOutputs.execute(ada, { viewId, pageSize: 3, pageToken }, never);
    pages.push(page.files.map(({ path }) => path.name));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  expect(pages).toEqual([['12', '13', '15'], ['16', '17', '18'], []]);
  const listToken = files.listOutputs.execute(ada, { viewId, pageSize: 3, pageToken: 'x' }, never);
  expect(await failureOf(listToken)).toMatchObject({ reason: 'INVALID_PAGE_TOKEN' });
});
