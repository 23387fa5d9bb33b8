import { expect, test } from 'vitest';
import { parseViewFile } from '../../configuration/view-file.ts';
import { quotaSettings } from './quota-settings.ts';
import { treeDiskKind } from './tree-disk-kind.ts';

test('reads bytes as a number or with a unit, and files as a number', () => {
  const texts = [
    {},
    { bytes: 1 },
    { bytes: '1GiB' },
    { bytes: '512 MiB', files: 3 },
    { bytes: '2TiB' },
    { bytes: '10KiB' },
  ];
  expect(texts.map((each) => quotaSettings.parse(each))).toEqual([
    { maxBytes: undefined, maxFiles: undefined },
    { maxBytes: 1, maxFiles: undefined },
    { maxBytes: 2 ** 30, maxFiles: undefined },
    { maxBytes: 2 ** 29, maxFiles: 3 },
    { maxBytes: 2 ** 41, maxFiles: undefined },
    { maxBytes: 10_240, maxFiles: undefined },
  ]);
});

const fileWith = (quota: string) => `disks:
  work:
    kind: tree
    quota: ${quota}
fs_view: {session: {mount_conf: [{mount: /workspace, disk_name: work}]}}
`;

function errorOf(quota: string): string {
  try {
    parseViewFile('view.yaml', fileWith(quota), [treeDiskKind]);
  } catch (error) {
    return String(error);
  }
  return 'none';
}

test('names file and line of a quota that it can not use', () => {
  const flawed = ['{bytes: 1GB}', '{bytes: 0}', '{bytes: 1.5GiB}', '{bytes: 9999999TiB}', '{files: -1}', '{size: 1}'];
  expect(flawed.map((quota) => /view\.yaml:4\b.*disks\.work\.quota\.(\w+)/.exec(errorOf(quota))?.[1])).toEqual([
    'bytes',
    'bytes',
    'bytes',
    'bytes',
    'files',
    'size',
  ]);
  expect(errorOf('{bytes: 1GiB, files: 10000}')).toBe('none');
});
