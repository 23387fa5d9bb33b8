import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { failure, openView, type ServiceFixture, serviceFixture } from './service-fixture.ts';

const access = `
access:
  grants:
    - {effect: deny, operations: [write, delete], paths: ["/notes/frozen"]}
    - {effect: deny, operations: [read], paths: ["/notes/secret"]}
    - {effect: deny, operations: [read, list], paths: ["/notes/hidden"]}
    - {effect: allow, who: {users: [ada]}, operations: [read, write, list, delete], paths: ["/files/adas"]}
    - {effect: deny, who: {services: [test]}, operations: [write], paths: ["/notes/not-by-tests"]}
    - {effect: deny, who: {services: [tool-host]}, operations: [write], paths: ["/notes/not-by-tools"]}
    - {effect: deny, operations: [publish], paths: ["/workspace/private"]}
  protected: ["**/.env", {mount: /workspace, names: [".git/hooks/**"]}]
`;

let service: ServiceFixture;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanwise-access-'));
  service = await serviceFixture(`sqlite:${folder}/fs.db`, access);
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const notGranted = (path: string, operation: string) => ({
  kind: 'denied',
  reason: 'NOT_GRANTED',
  facts: { path, operation },
});
const protectedBy = (path: string, pattern: string) => ({
  kind: 'denied',
  reason: 'PATH_PROTECTED',
  facts: { path, pattern },
});

test('refuses what rules deny, before a disk is asked, and shows nothing of what nobody may know of', async () => {
  const { client, put, text, viewId } = await openView(service.as('ada'));
  await put('/notes/a', 'a');
  expect(await failure(put('/notes/frozen/x', 'x'))).toEqual(notGranted('/notes/frozen/x', 'write'));
  expect(await failure(client.delete({ viewId, path: '/notes/frozen' }))).toEqual(
    notGranted('/notes/frozen', 'delete'),
  );
  await put('/notes/secret', 's');
  await put('/notes/hidden/h', 'h');
  expect(await failure(text('/notes/secret'))).toEqual(notGranted('/notes/secret', 'read'));
  expect(await failure(text('/notes/nothing-is-here'))).toMatchObject({ reason: 'FILE_NOT_FOUND' });
  expect(await failure(client.stat({ viewId, path: '/notes/hidden/h' }))).toEqual(
    notGranted('/notes/hidden/h', 'read'),
  );
  expect(await failure(client.list({ viewId, path: '/notes/hidden' }))).toEqual(notGranted('/notes/hidden', 'list'));
  const { entries } = await client.list({ viewId, path: '/notes' });
  expect(entries.map(({ path }) => path)).toEqual(['/notes/a', '/notes/secret']);
  const found = await client.glob({ viewId, path: '/notes', pattern: '**' });
  expect(found.files.map(({ path }) => path).toSorted()).toEqual(['/notes/a', '/notes/secret']);
  const grep = await Array.fromAsync(client.grep({ viewId, path: '/notes', pattern: '.' }));
  expect(grep.flatMap(({ matches }) => matches.map(({ path }) => path))).toEqual(['/notes/a']);
});

test('moves nothing that may not be read to where it may be, and deletes no directory around a rule', async () => {
  const { client, put, viewId } = await openView(service.as('ada'));
  await put('/notes/secret', 's');
  const move = (fromPath: string, toPath: string) => failure(client.move({ viewId, fromPath, toPath }));
  expect(await move('/notes/secret', '/notes/open')).toEqual(notGranted('/notes/secret', 'read'));
  expect(await move('/notes/a', '/notes/frozen/a')).toMatchObject({ reason: 'NOT_GRANTED' });
});

test('opens a path only to those that its rules name', async () => {
  const [ada, bob] = [await openView(service.as('ada')), await openView(service.as('bob'))];
  await ada.put('/files/adas/x', 'x');
  expect(await ada.text('/files/adas/x')).toBe('x');
  expect(await failure(bob.put('/files/adas/x', 'x'))).toEqual(notGranted('/files/adas/x', 'write'));
});

test('protects names from everybody, and directories that hold them', async () => {
  const { client, put, text, viewId } = await openView(service.as('ada'));
  expect(await failure(put('/workspace/app/.env', 'x'))).toEqual(protectedBy('/workspace/app/.env', '**/.env'));
  expect(await failure(put('/workspace/.git/hooks/pre-commit', 'x'))).toMatchObject({ reason: 'PATH_PROTECTED' });
  await put('/workspace/app/main.ts', 'm');
  const move = client.move({ viewId, fromPath: '/workspace/app/main.ts', toPath: '/workspace/app/.ENV' });
  expect(await failure(move)).toMatchObject({ reason: 'PATH_PROTECTED' });
  await client.move({ viewId, fromPath: '/workspace/app', toPath: '/workspace/app2' });
  expect(await text('/workspace/app2/main.ts')).toBe('m');
  await client.delete({ viewId, path: '/workspace/app2', recursive: true });
});

test('tells the services that call apart', async () => {
  const { put } = await openView(service.as('ada'));
  await put('/notes/not-by-tools', 'x');
  expect(await failure(put('/notes/not-by-tests', 'x'))).toEqual(notGranted('/notes/not-by-tests', 'write'));
});

test('publishes nothing where publishing is not granted', async () => {
  const client = service.as('ada');
  const viewId = '00000000-0000-7000-8000-00000000aaaa';
  await client.openView({ viewId, sessionId: '00000000-0000-7000-8000-00000000bbbb', runLayer: true });
  await client.write({ viewId, path: '/workspace/private/x', data: new Uint8Array([1]), epoch: 1n });
  await client.write({ viewId, path: '/workspace/y', data: new Uint8Array([1]), epoch: 1n });
  expect(await failure(client.commitRun({ viewId, epoch: 1n }))).toEqual(notGranted('/workspace/private', 'publish'));
  expect((await client.diffRun({ viewId })).changes.map(({ path }) => path)).toEqual([
    '/workspace/private',
    '/workspace/private/x',
    '/workspace/y',
  ]);
});
