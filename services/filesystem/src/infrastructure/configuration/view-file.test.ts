import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { shippedViewFile } from '../../config.ts';
import { openAccess } from '../../domain/access/access.ts';
import { VirtualPath } from '../../domain/path/virtual-path.ts';
import { diskKinds } from '../disks/disk-kinds.ts';
import { parseViewFile } from './view-file.ts';

const parse = (text: string) => parseViewFile('view.yaml', text, diskKinds);

const good = `disks:
  work: {kind: tree}
  docs: {kind: local, root: ./docs, trusted: true}
  scratch: {kind: memory}
fs_view:
  session:
    mount_conf:
      - {mount: /workspace, disk_name: work, remote: "/{uid}/{session_id}", output_path: true}
      - {mount: /docs/, disk_name: docs, read_only: true}
`;

test('reads disks and mounts', () => {
  const { disks, mounts } = parse(good);
  expect(disks.map(({ name }) => name)).toEqual(['work', 'docs', 'scratch', 'tool-results']);
  const one = (disk: string, remote: string) => [{ disk, remote, priority: 0, isOptional: false }];
  expect(mounts.map(({ path, ...mount }) => ({ ...mount, path: path.text }))).toEqual([
    { path: '/workspace', sources: one('work', '/{uid}/{session_id}'), isReadOnly: false, isOutput: true },
    { path: '/docs', sources: one('docs', '/'), isReadOnly: true, isOutput: false },
    {
      path: '/tool-results',
      sources: one('tool-results', '/{session_id}'),
      isReadOnly: true,
      isOutput: false,
      writer: 'tool-host',
    },
  ]);
});

test('reads a union, highest priority first', () => {
  const union = '[{disk_name: docs, remote: "/{uid}", priority: 10, optional: true}, {disk_name: work, priority: 20}]';
  const { mounts } = parse(withLine(9, `      - {mount: /docs, read_only: true, union: ${union}}`));
  expect(mounts[1]?.sources).toEqual([
    { disk: 'work', remote: '/', priority: 20, isOptional: false },
    { disk: 'docs', remote: '/{uid}', priority: 10, isOptional: true },
  ]);
});

test('reads the file that is shipped', () => {
  const { disks, mounts } = parse(readFileSync(shippedViewFile, 'utf8'));
  expect(disks.map(({ name }) => name)).toEqual(['workspace', 'library', 'tool-results']);
  expect(mounts.map(({ path }) => path.text)).toEqual(['/workspace', '/library', '/tool-results']);
});

test('reads how much of the outputs of tools is kept', () => {
  expect(parse(good).toolResults).toEqual({ maxBytes: 256 * 1024 * 1024, days: 30 });
  expect(parse(`${good}tool_results: {quota: 1MiB, days: 7}\n`).toolResults).toEqual({
    maxBytes: 1024 * 1024,
    days: 7,
  });
});

test('allows everything and protects nothing without access', () => {
  expect(parse(good).access).toBe(openAccess);
});

test('reads access, which knows the mounts', () => {
  const { access } = parse(`${good}access: {protected: [.env]}\n`);
  const mount = VirtualPath.parse('/docs');
  expect(() => access.protectedNames.assertMayChange(mount.child('.env'), mount)).toThrow(
    expect.objectContaining({ reason: 'PATH_PROTECTED', facts: { path: '/docs/.env', pattern: '.env' } }),
  );
  expect(() => parse(`${good}access: {protected: [/dox/a]}\n`)).toThrow(
    'view.yaml:10: no mount is at /dox/a, above it or below it.',
  );
});

function withLine(number: number, line: string): string {
  return good
    .split('\n')
    .map((text, index) => (index + 1 === number ? line : text))
    .join('\n');
}

test.each([
  ['text that is no YAML', 2, '  work: {kind: tree', /^view\.yaml:\d+: /],
  [
    "the name of the service's own disk",
    3,
    '  tool-results: {kind: tree}',
    "view.yaml:3: tool-results is the name of a disk of the service's own: choose another one.",
  ],
  [
    "a mount where the service's own one is",
    9,
    '      - {mount: /tool-results, disk_name: docs}',
    "view.yaml:9: /tool-results is a mount of the service's own: choose another path.",
  ],
  [
    "a mount in the service's own one",
    9,
    '      - {mount: /tool-results/of/mine, disk_name: docs}',
    "view.yaml:9: /tool-results is a mount of the service's own: choose another path.",
  ],
  ['a disk twice', 4, '  work: {kind: memory}', 'view.yaml:4: Map keys must be unique.'],
  [
    'a rest disk whose base URL holds a password',
    2,
    '  work: {kind: rest, base_url: "https://user:password@x", auth: none}',
    'view.yaml:2: disks.work.base_url: must not hold a user or password.',
  ],
  [
    'an object store whose endpoint holds a password',
    2,
    '  work: {kind: object, service: s3, bucket: files, endpoint: "https://user:password@x"}',
    'view.yaml:2: disks.work.endpoint: must not hold a user, password, query or fragment.',
  ],
  [
    'an unknown kind',
    2,
    '  work: {kind: ftp}',
    'view.yaml:2: the kind ftp of disk work is not known: use one of tree, local, memory, rest, object.',
  ],
  ['a disk without a kind', 2, '  work: {}', /^view\.yaml:2: disks\.work\.kind: /],
  ['a disk that is none', 2, '  work: 7', /^view\.yaml:2: disks\.work: /],
  [
    'an unknown key of a disk',
    2,
    '  work: {kind: tree, colour: 7}',
    /^view\.yaml:2: disks\.work\.colour: Unrecognized key/,
  ],
  ['a local disk without a root', 3, '  docs: {kind: local}', /^view\.yaml:3: disks\.docs\.root: /],
  ['a name that is none', 2, '  "wo rk": {kind: tree}', /^view\.yaml:2: disks\.wo rk: /],
  [
    'a mount that is no path',
    8,
    '      - {mount: ../x, disk_name: work}',
    /^view\.yaml:8: Not a usable path: "\.\.\/x": not absolute/,
  ],
  ['a mount without a path', 8, '      - {disk_name: work}', /^view\.yaml:8: fs_view\.session\.mount_conf\.0\.mount: /],
  [
    'the same mount twice',
    8,
    '      - {mount: //docs, disk_name: work}',
    'view.yaml:9: the mount /docs is there twice.',
  ],
  ['an unknown disk', 9, '      - {mount: /docs, disk_name: none}', 'view.yaml:9: the disk none is not among disks.'],
  [
    'a flag that is none',
    9,
    '      - {mount: /docs, disk_name: docs, read_only: maybe}',
    /^view\.yaml:9: fs_view\.session\.mount_conf\.1\.read_only: /,
  ],
  [
    'an unknown key of a mount',
    9,
    '      - {mount: /docs, disk_name: docs, readonly: true}',
    /^view\.yaml:9: fs_view\.session\.mount_conf\.1\.readonly: Unrecognized key/,
  ],
  [
    'a union of one',
    9,
    '      - {mount: /docs, read_only: true, union: [{disk_name: docs, priority: 1}]}',
    /^view\.yaml:9: fs_view\.session\.mount_conf\.1\.union: Too small/,
  ],
  [
    'a union that would be written to a disk without marks',
    9,
    '      - {mount: /docs, union: [{disk_name: docs, priority: 3}, {disk_name: work, priority: 2}]}',
    'view.yaml:9: the source with the highest priority is written to, and docs is no tree disk: add one, or give the mount read_only: true.',
  ],
  [
    'a union that would be written to what may be missing',
    9,
    '      - {mount: /docs, union: [{disk_name: docs, priority: 1}, {disk_name: work, priority: 2, optional: true}]}',
    'view.yaml:9: the source with the highest priority is written to: it can not be optional.',
  ],
  [
    'a union beside a disk',
    9,
    '      - {mount: /docs, disk_name: docs, union: [{disk_name: docs, priority: 1}, {disk_name: work, priority: 2}]}',
    'view.yaml:9: a mount has either disk_name or union.',
  ],
  ['a mount of nothing', 9, '      - {mount: /docs}', 'view.yaml:9: a mount has either disk_name or union.'],
  [
    'a priority twice',
    9,
    '      - {mount: /docs, read_only: true, union: [{disk_name: docs, priority: 1}, {disk_name: work, priority: 1}]}',
    'view.yaml:9: the priority 1 is there twice.',
  ],
  [
    'an unknown disk of a union',
    9,
    '      - {mount: /docs, read_only: true, union: [{disk_name: docs, priority: 1}, {disk_name: none, priority: 2}]}',
    'view.yaml:9: the disk none is not among disks.',
  ],
  [
    'an unknown placeholder',
    9,
    '      - {mount: /docs, disk_name: docs, remote: "/{run_id}"}',
    'view.yaml:9: remote has {run_id}: only {uid} and {session_id} mean something.',
  ],
  [
    'a remote that climbs',
    9,
    '      - {mount: /docs, disk_name: docs, remote: /../x}',
    /^view\.yaml:9: Not a usable path/,
  ],
  ['an unknown key at the top', 1, 'quotas: {}\ndisks:', /^view\.yaml:1: quotas: Unrecognized key/],
  ['no mounts', 7, '    mount_conf: []\nx:', /^view\.yaml:/],
] as const)('refuses %s with its line', (_, number, line, message) => {
  expect(() => parse(withLine(number, line))).toThrow(message);
});

test('refuses an empty file', () => {
  expect(() => parse('')).toThrow(/^view\.yaml:1: /);
});
