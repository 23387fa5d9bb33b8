import { randomIds } from '@spanwise/kernel';
import { freshDatabase, mysqlServerUrl } from '@spanwise/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collect, failure, openView, type ServiceFixture, serviceFixture } from './service-fixture.ts';
import { until, watch } from './watch-fixture.ts';

const ids = randomIds();
const settings = 'tool_results: {quota: 2KiB}\n';

describe('on SQLite', () => suite(async () => ({ url: undefined, drop: async () => undefined })));
describe.skipIf(mysqlServerUrl === undefined)('on MySQL', () => suite(mysql));

async function mysql() {
  const fresh = await freshDatabase(mysqlServerUrl ?? '');
  return { url: fresh.url, drop: async () => fresh[Symbol.asyncDispose]() };
}

/** A run of Ada's, as tool-host and as the session service see it. */
async function begun(service: ServiceFixture, options: { sessionId?: string; runLayer?: boolean } = {}) {
  const { sessionId = ids.uuid(), runLayer = true } = options;
  const [host, session] = [service.as('ada', 'tool-host'), service.as('ada', 'session')];
  const viewId = ids.uuid();
  await session.openView({ viewId, sessionId, runLayer });
  const data = (text: string) => new TextEncoder().encode(text);
  return {
    ...{ viewId, sessionId, host, session },
    keep: async (path: string, text: string, guard: object = {}) =>
      host.write({ viewId, path, data: data(text), epoch: 1n, ...guard }),
    write: async (path: string, text: string) => session.write({ viewId, path, data: data(text), epoch: 1n }),
    text: async (path: string) => new TextDecoder().decode((await session.read({ viewId, path })).data),
  };
}

const readOnly = (path: string) => ({
  kind: 'denied',
  reason: 'MOUNT_READ_ONLY',
  facts: { path, mount: '/tool-results' },
});

function suite(open: () => Promise<{ url: string | undefined; drop: () => Promise<void> }>) {
  let database: Awaited<ReturnType<typeof open>>;
  let fixture: ServiceFixture | undefined;
  beforeAll(async () => {
    database = await open();
    fixture = await serviceFixture(database.url, settings);
  });
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]();
    await database.drop();
  });
  const service = () => fixture ?? expect.fail('not started');

  test('shows what tool-host keeps at once, in this run and in other runs of the session alone', async () => {
    const [run, elsewhere] = [await begun(service()), await begun(service())];
    const later = await begun(service(), { sessionId: run.sessionId });
    await run.keep('/tool-results/c1.txt', 'all of it', { createOnly: true });
    expect(await Promise.all([run, later].map(({ text }) => text('/tool-results/c1.txt')))).toEqual([
      'all of it',
      'all of it',
    ]);
    expect(await failure(elsewhere.text('/tool-results/c1.txt'))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
    const { mounts } = (await run.session.describeView({ viewId: run.viewId })).view ?? {};
    expect(mounts?.find(({ path }) => path === '/tool-results')).toMatchObject({
      disk: 'tool-results',
      readOnly: true,
      outputPath: false,
    });
  });

  test('lets nobody but tool-host change it', async () => {
    const { keep, write, session, viewId } = await begun(service(), { runLayer: false });
    await keep('/tool-results/c1.txt', 'kept');
    await write('/workspace/mine', 'mine');
    const path = '/tool-results/c1.txt';
    const view = { viewId, epoch: 1n };
    const copy = { ...view, fromPath: '/workspace/mine', toPath: '/tool-results/mine' };
    const refused = await Promise.all([
      failure(write('/tool-results/x', 'x')),
      failure(session.edit({ ...view, path, oldText: 'kept', newText: 'x' })),
      failure(session.delete({ ...view, path })),
      failure(session.makeDirectory({ ...view, path: '/tool-results/d' })),
      failure(session.copy(copy)),
      failure(session.move(copy)),
    ]);
    expect(refused).toEqual([
      readOnly('/tool-results/x'),
      readOnly(path),
      readOnly(path),
      readOnly('/tool-results/d'),
      readOnly('/tool-results/mine'),
      readOnly('/tool-results/mine'),
    ]);
    const unnamed = await openView(service().as('ada'));
    expect(await failure(unnamed.put('/tool-results/x', 'x'))).toEqual(readOnly('/tool-results/x'));
    expect((await session.list({ viewId, path: '/tool-results' })).entries.map((entry) => entry.path)).toEqual([path]);
  });

  test('keeps it when the run is rolled back, and counts it as nothing that the run has changed', async () => {
    const run = await begun(service());
    await run.write('/workspace/a', 'a');
    await run.keep('/tool-results/c1.txt', 'kept');
    const { changes } = await run.session.diffRun({ viewId: run.viewId });
    expect(changes.map(({ path }) => path)).toEqual(['/workspace/a']);
    const { files } = await run.session.listOutputs({ viewId: run.viewId });
    expect(files.map(({ path }) => path)).toEqual(['/workspace/a']);
    await run.session.rollbackRun({ viewId: run.viewId, epoch: 1n });
    expect(await run.text('/tool-results/c1.txt')).toBe('kept');
    expect(await failure(run.text('/workspace/a'))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
    expect(await failure(run.keep('/tool-results/c2.txt', 'late'))).toMatchObject({ reason: 'VIEW_CLOSED' });
  });

  test('answers a write with its key again, and refuses one of a dispatch that is over', async () => {
    const { keep, text, session, sessionId } = await begun(service());
    const guard = { createOnly: true, idempotencyKey: 'run:call:output:1' };
    const first = await keep('/tool-results/c1.txt', 'one', guard);
    expect(await keep('/tool-results/c1.txt', 'one', guard)).toEqual(first);
    await keep('/tool-results/c1.txt', 'two', { ifMatch: first.file?.etag });
    expect(await text('/tool-results/c1.txt')).toBe('two');
    await session.fence({ sessionId, epoch: 2n });
    expect(await failure(keep('/tool-results/c3.txt', 'x'))).toMatchObject({ reason: 'FENCED' });
  });

  test('lets a run copy from it into its files', async () => {
    const run = await begun(service());
    await run.keep('/tool-results/c1.txt', 'kept');
    const copy = { viewId: run.viewId, epoch: 1n, fromPath: '/tool-results/c1.txt', toPath: '/workspace/log.txt' };
    await run.session.copy(copy);
    expect(await run.text('/workspace/log.txt')).toBe('kept');
    await run.session.commitRun({ viewId: run.viewId, epoch: 1n });
    expect(await run.text('/workspace/log.txt')).toBe('kept');
    const move = { viewId: run.viewId, fromPath: '/tool-results/c1.txt', toPath: '/workspace/x' };
    expect(await failure(run.session.move(move))).toEqual(readOnly('/tool-results/c1.txt'));
  });

  test('counts it for the session alone, and makes room when that is deleted', async () => {
    const [run, other] = [await begun(service()), await begun(service())];
    await run.keep('/tool-results/c1.txt', 'x'.repeat(2000));
    const full = { kind: 'exhausted', reason: 'QUOTA_EXCEEDED', facts: { limit: 'disk_bytes', max: '2048' } };
    expect(await failure(run.keep('/tool-results/c2.txt', 'y'.repeat(100)))).toMatchObject(full);
    const sameSession = await begun(service(), { sessionId: run.sessionId });
    expect(await failure(sameSession.keep('/tool-results/c3.txt', 'y'.repeat(100)))).toMatchObject(full);
    await other.keep('/tool-results/c1.txt', 'x'.repeat(2000));
    const { disks } = await run.session.getUsage({ viewId: run.viewId });
    expect(disks.map(({ disk }) => disk)).toEqual(['work']);
    await run.session.deleteSessionData({ sessionId: run.sessionId });
    expect(await failure(run.text('/tool-results/c1.txt'))).toMatchObject({ reason: 'VIEW_NOT_FOUND' });
    expect(await other.text('/tool-results/c1.txt')).toBe('x'.repeat(2000));
  });

  test('is searched when it is asked for by name, and not from above', async () => {
    const { keep, write, session, viewId } = await begun(service());
    await keep('/tool-results/c1.txt', 'needle');
    await write('/workspace/a.txt', 'needle');
    const glob = async (path: string, pattern: string) =>
      (await session.glob({ viewId, path, pattern })).files.map((file) => file.path);
    const grep = async (path: string) => {
      const answers = await collect(session.grep({ viewId, path, pattern: 'needle' }));
      return answers.flatMap(({ matches }) => matches.map((match) => match.path));
    };
    expect({
      above: [await glob('/', '**/*.txt'), await grep('/')],
      named: [
        await glob('/tool-results', '*'),
        await glob('/', 'tool-results/*.txt'),
        await grep('/tool-results'),
        await grep('/tool-results/c1.txt'),
      ],
    }).toEqual({
      above: [['/workspace/a.txt'], ['/workspace/a.txt']],
      named: Array.from({ length: 4 }, () => ['/tool-results/c1.txt']),
    });
    const { entries } = await session.list({ viewId, path: '/' });
    expect(entries.map(({ path }) => path)).toContain('/tool-results');
  });

  test('is watched while the run goes on and after it, each change once', async () => {
    const run = await begun(service());
    await run.keep('/tool-results/c0.txt', 'before');
    const watcher = await watch(run.session, run.viewId, '/');
    await run.keep('/tool-results/c1.txt', 'one');
    await until(() => watcher.told().length >= 1);
    await run.write('/workspace/a', 'a');
    await until(() => watcher.told().length >= 2);
    await run.session.commitRun({ viewId: run.viewId, epoch: 1n });
    const next = await begun(service(), { sessionId: run.sessionId });
    await next.keep('/tool-results/c2.txt', 'two');
    await until(() => watcher.told().length >= 3);
    expect(watcher.told()).toEqual(['ADDED /tool-results/c1.txt', 'ADDED /workspace/a', 'ADDED /tool-results/c2.txt']);
    await watcher.stop();
  });
}
