import { expect, test } from 'vitest';
import { viewFromRow } from './view-mapping.ts';

test('reads views that were opened when a mount had one disk', () => {
  const mounts = '[{"path":"/w","disk":"work","remote":"/ada","isReadOnly":false,"isOutput":true}]';
  const view = viewFromRow({ id: 'v', uid: 'ada', sessionId: 's', mounts, createTimeMs: 1 });
  const [mount] = view.mounts;
  expect(mount?.sources.map(({ remote, ...source }) => ({ ...source, remote: remote.text }))).toEqual([
    { disk: 'work', remote: '/ada', priority: 0, isOptional: false },
  ]);
  expect(mount).toMatchObject({ isReadOnly: false, isOutput: true });
});
