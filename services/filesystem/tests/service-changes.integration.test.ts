import { randomIds } from '@spanwise/kernel';
import { freshDatabase, mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failure, openView, type ServiceFixture, serviceFixture } from './service-fixture.ts';

const ids = randomIds();
const bytes = (text: string) => new TextEncoder().encode(text);
const fenced = { kind: 'aborted', reason: 'FENCED', facts: {} };
const reused = { kind: 'exists', reason: 'IDEMPOTENCY_KEY_REUSED', facts: {} };
const notFound = { kind: 'not-found', reason: 'VIEW_NOT_FOUND', facts: {} };

describe('on SQLite', () => suite(() => serviceFixture()));
describe.skipIf(mysqlServerUrl === undefined)('on MySQL', () =>
  suite(async () => {
    const fresh = await freshDatabase(mysqlServerUrl ?? '');
    const service = await serviceFixture(fresh.url);
    return {
      ...service,
      async [Symbol.asyncDispose]() {
        await service[Symbol.asyncDispose]();
        await fresh[Symbol.asyncDispose]();
      },
    };
  }),
);

function suite(open: () => Promise<ServiceFixture>) {
  let service: ServiceFixture;
  let view: Awaited<ReturnType<typeof openView>>;
  beforeAll(async () => {
    service = await open();
    view = await openView(service.as('ada'));
  });
  afterAll(() => service[Symbol.asyncDispose]());

  /** Each change of a file that has the content `a`, and a request for it that is another one. */
  const requests = (mount: string, viewId: string, idempotencyKey: string) => {
    const path = `${mount}/file`;
    const { client } = view;
    const change = { viewId, epoch: 1n, idempotencyKey };
    return {
      write: (other = {}) => client.write({ ...change, path, data: bytes('b'), ...other }),
      edit: (other = {}) => client.edit({ ...change, path, oldText: 'a', newText: 'aa', ...other }),
      makeDirectory: (other = {}) => client.makeDirectory({ ...change, path: `${mount}/made`, ...other }),
      delete: (other = {}) => client.delete({ ...change, path, ...other }),
      move: (other = {}) => client.move({ ...change, fromPath: path, toPath: `${mount}/moved`, ...other }),
    };
  };
  const othersOn = (mount: string) => ({
    write: { createOnly: true },
    edit: { newText: 'aaa' },
    makeDirectory: { path: `${mount}/another` },
    delete: { recursive: true },
    move: { toPath: `${mount}/another` },
  });
  const names = ['write', 'edit', 'makeDirectory', 'delete', 'move'] as const;

  describe.each(['/workspace', '/files', '/notes'])('on the disk of %s', (mount) => {
    test.each(names)(
      '%s with a key answers again as it did, for any epoch, and refuses other requests',
      async (name) => {
        await view.put(`${mount}/file`, 'a');
        await failure(view.client.delete({ viewId: view.viewId, path: `${mount}/moved` }));
        const call = requests(mount, view.viewId, ids.uuid())[name];
        const first = await call();
        await view.put(`${mount}/file`, 'a a');
        expect(await call()).toEqual(first);
        expect(await call({ epoch: 2n })).toEqual(first);
        expect(await call({ epoch: 0n })).toEqual(first);
        expect(await failure(call(othersOn(mount)[name]))).toEqual(reused);
        expect(await view.text(`${mount}/file`)).toBe('a a');
      },
    );
  });

  test('tells operations with the same fields and the same key apart', async () => {
    const { client, viewId } = view;
    const request = { viewId, path: '/notes/same', idempotencyKey: 'same' };
    await client.makeDirectory(request);
    expect(await failure(client.delete(request))).toEqual(reused);
  });

  test('refuses keys that are none', async () => {
    const { client, viewId } = view;
    for (const idempotencyKey of ['with space', 'ö', 'x'.repeat(129)]) {
      expect(await failure(client.makeDirectory({ viewId, path: '/notes/x', idempotencyKey }))).toMatchObject({
        reason: 'INVALID_FIELD',
      });
    }
    await client.makeDirectory({ viewId, path: '/notes/x', idempotencyKey: '~'.repeat(128) });
  });

  test.each(['/workspace', '/files', '/notes'])('shuts a session on the disk of %s', async (mount) => {
    await using replica = await service.replica();
    const { client, viewId, sessionId, put, text } = await openView(service.as('ada'));
    await put(`${mount}/file`, 'a');
    await replica.as('ada').fence({ sessionId, epoch: 3n, stop: false });
    const write = (epoch: bigint) => client.write({ viewId, path: `${mount}/file`, data: bytes(`${epoch}`), epoch });
    expect(await failure(write(2n))).toEqual(fenced);
    await write(3n);
    await client.fence({ sessionId, epoch: 3n, stop: true });
    await client.fence({ sessionId, epoch: 1n, stop: true });
    expect(await failure(write(3n))).toEqual(fenced);
    expect(await text(`${mount}/file`)).toBe('3');
    await write(4n);
    await write(0n);
    await client.fence({ sessionId, epoch: 2n ** 63n - 1n, stop: true });
    expect(await failure(write(2n ** 50n))).toEqual(fenced);
    await write(0n);
  });

  test('deletes the data of a session, for every replica', async () => {
    await using replica = await service.replica();
    const { viewId, sessionId, client, put } = await openView(service.as('ada'));
    await put('/workspace/file', 'private');
    const elsewhere = replica.as('ada');
    expect((await elsewhere.list({ viewId, path: '/workspace' })).entries).toHaveLength(1);
    expect(await failure(service.as('bob').deleteSessionData({ sessionId }))).toEqual(notFound);
    await client.deleteSessionData({ sessionId });
    await elsewhere.deleteSessionData({ sessionId });
    expect(await failure(client.describeView({ viewId }))).toEqual(notFound);
    expect(await failure(elsewhere.write({ viewId, path: '/workspace/file', data: bytes('late') }))).toEqual(notFound);
    const opening = () => elsewhere.openView({ viewId: ids.uuid(), sessionId });
    expect(await failure(opening())).toEqual(fenced);
    await view.put('/workspace/file', 'of another session');
  });
}
