import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { VirtualPath } from '../src/domain/path/virtual-path.ts';
import { ada, failureOf, never, utf8 } from './files-fixture.ts';
import { openRestDisk } from './rest-fixture.ts';
import { startRestReferenceServer } from './rest-reference-server.ts';

interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses?: object }>>>>;
}

const at = (text: string) => VirtualPath.parse(text);

async function description(): Promise<{ text: string; api: Description }> {
  const text = await readFile(new URL('../rest-disk.openapi.yaml', import.meta.url), 'utf8');
  return { text, api: parse(text) as Description };
}

/** The answers that are described, as the reference server counts them. */
function described({ paths }: Description): string[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { responses = {} }]) =>
      Object.keys(responses).map((status) => `${method.toUpperCase()}${path.endsWith('/') ? '/' : ''} ${status}`),
    ),
  );
}

test('is described as OpenAPI 3.1 whose references lead somewhere', async () => {
  const { text, api } = await description();
  expect(api.openapi).toMatch(/^3\.1\./);
  const references = [...text.matchAll(/\$ref: ["']#\/([^"']+)["']/g)].map(([, to = '']) => to);
  expect(references.length).toBeGreaterThan(50);
  const leadsNowhere = references.filter((to) => {
    const found = to
      .split('/')
      .reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], api);
    return found === undefined;
  });
  expect(leadsNowhere).toEqual([]);
});

test('has every answer of the reference server in its description, and a disk that meets them', async () => {
  const { api } = await description();
  await using server = await startRestReferenceServer({ tokens: [ada.token] });
  const disk = await openRestDisk(server.baseUrl, { auth: 'forward_user' });
  const put = (path: string, guard = {}) => disk.write(ada, at(path), utf8('x'), guard, never);
  const list = (path: string) => disk.list(ada, at(path), { after: '', limit: 1, withEtags: true }, never);
  const read = (path: string, offset = 0) => disk.read(ada, at(path), { offset, length: 1 }, never);
  const remove = (path: string, request = {}) => disk.remove(ada, at(path), { isRecursive: false, ...request }, never);
  const operations = [
    ...[
      put('/d/x'),
      put('/d/x'),
      put('/d'),
      put('/d/x/y'),
      put('/d/x', { createOnly: true }),
      put('/d/x', { ifMatch: 'e' }),
    ],
    ...[disk.stat(ada, at('/'), never), disk.stat(ada, at('/d/x'), never), disk.stat(ada, at('/none'), never)],
    ...[read('/d/x'), read('/d/x', 1), read('/d'), read('/none'), list('/d'), list('/d/x'), list('/none')],
    ...[disk.makeDirectory(ada, at('/e'), never), disk.makeDirectory(ada, at('/d/x'), never)],
    ...[disk.rename(ada, at('/d/x'), at('/d'), never), disk.rename(ada, at('/none'), at('/f'), never)],
    ...[remove('/d', { ifMatch: 'e' }), remove('/d'), remove('/none')],
    ...[disk.stat({ ...ada, token: 'other' }, at('/d/x'), never)],
  ];
  await Promise.all(operations.map(failureOf));
  await disk.rename(ada, at('/d'), at('/moved'), never);
  await remove('/moved', { isRecursive: true });
  await disk[Symbol.asyncDispose]?.();
  // HEAD has one description for both: whether it is a directory is what it asks.
  const answered = [...server.answered].map((each) => each.replace('HEAD/', 'HEAD'));
  expect(answered.length).toBeGreaterThan(20);
  const all = described(api);
  expect(answered.filter((each) => !all.includes(each))).toEqual([]);
});
