import { brandId, type RunId, randomIds } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { failure, openView, serviceFixture } from './service-fixture.ts';

const ids = randomIds();

test('tells what a user has on the tree disks of a view, and what may be there', async () => {
  await using service = await serviceFixture(undefined, '', '{kind: tree, quota: {bytes: 1KiB, files: 3}}');
  const usage = async (uid: string, viewId: string) => (await service.as(uid).getUsage({ viewId })).disks.map(plain);
  const view = await openView(service.as('ada'));
  const limits = { disk: 'work', maxBytes: 1024n, maxFiles: 3n };
  expect(await usage('ada', view.viewId)).toEqual([
    { ...limits, bytes: 0n, files: 0n, reservedBytes: 0n, reservedFiles: 0n },
  ]);
  await view.put('/workspace/a.txt', '12345');
  const run = brandId<RunId>(ids.uuid());
  await service.as('ada').openView({ viewId: run, sessionId: view.sessionId, runLayer: true });
  const change = { viewId: run, epoch: 1n, data: new TextEncoder().encode('123') };
  await service.as('ada').write({ ...change, path: '/workspace/b.txt' });
  await service.as('ada').write({ ...change, path: '/notes/not-counted.txt' });
  const told = [{ ...limits, bytes: 5n, files: 1n, reservedBytes: 3n, reservedFiles: 1n }];
  expect([await usage('ada', view.viewId), await usage('ada', run)]).toEqual([told, told]);
  expect(await failure(view.put('/workspace/big.txt', 'x'.repeat(1017)))).toEqual({
    kind: 'exhausted',
    reason: 'QUOTA_EXCEEDED',
    facts: { limit: 'disk_bytes', max: '1024', disk: 'work' },
  });
  await service.as('ada').commitRun({ viewId: run, epoch: 1n });
  expect(await usage('ada', run)).toEqual([{ ...limits, bytes: 8n, files: 2n, reservedBytes: 0n, reservedFiles: 0n }]);
  const ofBob = await openView(service.as('bob'));
  expect(await usage('bob', ofBob.viewId)).toEqual([
    { ...limits, bytes: 0n, files: 0n, reservedBytes: 0n, reservedFiles: 0n },
  ]);
  expect(await failure(usage('bob', view.viewId))).toMatchObject({ reason: 'VIEW_NOT_FOUND' });
  await service.as('ada').deleteSessionData({ sessionId: view.sessionId });
  const next = await openView(service.as('ada'));
  expect(await usage('ada', next.viewId)).toEqual([
    { ...limits, bytes: 0n, files: 0n, reservedBytes: 0n, reservedFiles: 0n },
  ]);
});

test('counts use without a quota, too', async () => {
  await using service = await serviceFixture();
  const view = await openView(service.as('ada'));
  await view.put('/workspace/a.txt', '12345');
  expect((await service.as('ada').getUsage({ viewId: view.viewId })).disks.map(plain)).toEqual([
    { disk: 'work', bytes: 5n, files: 1n, reservedBytes: 0n, reservedFiles: 0n, maxBytes: 0n, maxFiles: 0n },
  ]);
});

function plain(told: object): unknown {
  return Object.fromEntries(Object.entries(told).filter(([name]) => name !== '$typeName'));
}
