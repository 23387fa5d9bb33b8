import { afterAll, beforeAll, expect, test } from 'vitest';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { type AttackedView, assertNothingTold, attackedView, secret } from './attack-harness.ts';
import { ada, failureOf, never, utf8 } from './files-fixture.ts';
import { type ObjectStoreUnderTest, objectStore, rootPrefix } from './object-fixture.ts';
import { pathAttacks } from './path-attacks.ts';

let under: ObjectStoreUnderTest;
let view: AttackedView;

/** Keys beside the root of the disk that share as much with it as can be. */
const outside = [
  'secret.txt',
  'tenant/secret.txt',
  'tenant/files',
  'tenant/files-evil/secret.txt',
  'tenant/filesecret',
];

beforeAll(async () => {
  under = await objectStore();
  outside.forEach((key) => under.stub.plant(key, secret));
  view = await attackedView(under.store);
});
afterAll(() => under[Symbol.asyncDispose]());

test('touches no key outside of its root, whatever the path', async () => {
  expect(pathAttacks.length).toBeGreaterThanOrEqual(40);
  for (const [, path] of pathAttacks) {
    assertNothingTold(await view.attack(path));
  }
  await view.assertUnharmed();
  const { log, objects } = under.stub;
  expect(log.length).toBeGreaterThan(500);
  expect(log.filter(({ key }) => !key.startsWith(rootPrefix))).toEqual([]);
  const segments = log.flatMap(({ key }) => key.replace(/\/$/, '').split('/'));
  expect(segments.filter((segment) => ['', '.', '..'].includes(segment))).toEqual([]);
  expect([...objects.keys()].filter((key) => !key.startsWith(rootPrefix))).toEqual(outside);
  expect(outside.map((key) => Buffer.from(objects.get(key)?.data ?? []).toString())).toEqual(outside.map(() => secret));
});

test('keeps the names of its probes to itself', async () => {
  const { store, stub } = under;
  const name = `.spanwise-${'0'.repeat(32)}.probe`;
  stub.plant(`${rootPrefix}probes/${name}`, 'left over');
  stub.plant(`${rootPrefix}probes/x`, 'x');
  const path = VirtualPath.parse(`/probes/${name}`);
  expect(await failureOf(store.write(ada, path, utf8('x'), {}, never))).toMatchObject({ reason: 'PATH_INVALID' });
  expect(await failureOf(store.stat(ada, path, never))).toMatchObject({ reason: 'PATH_INVALID' });
  const { entries } = await store.list(
    ada,
    VirtualPath.parse('/probes'),
    { after: '', limit: 10, withEtags: false },
    never,
  );
  expect(entries.map((entry) => entry.name)).toEqual(['x']);
});

test('refuses keys that are longer than stores take', async () => {
  const long = VirtualPath.parse(`/${'x'.repeat(255)}`.repeat(4));
  const before = under.stub.log.length;
  expect(await failureOf(under.store.write(ada, long, utf8('x'), {}, never))).toMatchObject({ reason: 'PATH_INVALID' });
  expect(under.stub.log.slice(before)).toEqual([]);
});
