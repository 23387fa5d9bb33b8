import { randomIds } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { readBlobs } from './blob-settings.ts';
import { YamlSource } from './yaml-source.ts';

const read = (text: string) => readBlobs(new YamlSource('view.yaml', `disks: {}\nblobs:\n${text}`));
const host = { folder: '/', ids: randomIds(), secret: () => undefined };

const s3 = '  store: object\n  service: s3\n  bucket: blobs\n  region: eu-central-1\n';

test('keeps content in the database when told so', () => {
  expect(read('  store: database')).toEqual({ threshold: Number.MAX_SAFE_INTEGER, open: undefined });
});

test('keeps content below 64 KiB in the database unless told otherwise', () => {
  const thresholds = ['', '  threshold: 1\n', '  threshold: 2MiB\n'].map((line) => {
    return [read(`  store: folder\n  path: ./blobs\n${line}`).threshold, read(s3 + line).threshold];
  });
  expect(thresholds).toEqual([
    [65_536, 65_536],
    [1, 1],
    [2_097_152, 2_097_152],
  ]);
});

test.each([
  ['an unknown store', '  store: tape', /^view\.yaml:3: blobs\.store: /],
  ['settings beside the database', '  store: database\n  path: x', /^view\.yaml:4: blobs\.path: Unrecognized key/],
  ['a folder without a path', '  store: folder', /^view\.yaml:2: blobs\.path: /],
  [
    'a threshold of nothing',
    '  store: folder\n  path: x\n  threshold: 0',
    /^view\.yaml:5: blobs\.threshold: a whole number/,
  ],
  ['an unknown setting of objects', `${s3}  speed: 1`, /^view\.yaml:7: blobs\.speed: Unrecognized key/],
  ['a kind, for blobs are no disk', `${s3}  kind: object`, /^view\.yaml:7: blobs\.kind: /],
  ['objects without a bucket', '  store: object\n  service: s3', /^view\.yaml:2: blobs\.bucket: /],
  [
    'a secret in place of its variable',
    `${s3}  secret_access_key_env: "a/b"`,
    /^view\.yaml:7: blobs\.secret_access_key_env: /,
  ],
])('refuses %s with its line', (_, text, message) => {
  expect(() => read(text)).toThrow(message);
});

test('does not open a store whose secret is not set', async () => {
  const { open } = read(`${s3}  access_key_id_env: BLOBS_KEY_ID`);
  await expect(open?.(host)).rejects.toThrow(
    'view.yaml:2: blobs: the variable BLOBS_KEY_ID of access_key_id_env is not set',
  );
});
