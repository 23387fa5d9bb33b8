import { expect, test } from 'vitest';
import { parseViewFile } from '../../configuration/view-file.ts';
import type { DiskHost } from '../disk-kind.ts';
import { restDiskKind } from './rest-disk-kind.ts';

const parse = (settings: string) =>
  parseViewFile(
    'view.yaml',
    `disks:
  users:
${settings
  .split('\n')
  .map((line) => `    ${line}`)
  .join('\n')}
fs_view:
  session:
    mount_conf:
      - {mount: /users, disk_name: users}
`,
    [restDiskKind],
  );

const secret = (variable: string) => ({ FILES_TOKEN: 'a.b-c', BAD_TOKEN: 'a b' })[variable];

function open(settings: string) {
  const host: Partial<DiskHost> = { name: 'users', clock: { nowMs: () => 0 }, secret };
  const [disk] = parse(settings).disks;
  return disk?.open(host as DiskHost);
}

test.each([
  ['kind: rest\nbase_url: https://users.internal/files\nauth: forward_user', { ifMatch: false, createOnly: false }],
  [
    'kind: rest\nbase_url: http://x\nauth: none\nif_match: true\ncreate_only: true\ntimeout_ms: 100\nread_only: true',
    { ifMatch: true, createOnly: true },
  ],
  ['kind: rest\nbase_url: http://x\nauth: service\ntoken_env: FILES_TOKEN', { ifMatch: false, createOnly: false }],
])('opens without asking the server, and relies on nothing that is not stated: %j', async (settings, promised) => {
  const disk = await open(settings);
  expect(disk?.capabilities).toEqual({ ...promised, atomic: false });
  await disk?.[Symbol.asyncDispose]?.();
});

test.each([
  ['no base URL', 'kind: rest\nauth: none', /^view\.yaml:\d: disks\.users\.base_url: /],
  [
    'one that is none',
    'kind: rest\nbase_url: /files\nauth: none',
    'view.yaml:4: disks.users.base_url: must be an http',
  ],
  ['no auth', 'kind: rest\nbase_url: https://x', /^view\.yaml:\d: disks\.users\.auth: /],
  ['an auth that is none', 'kind: rest\nbase_url: https://x\nauth: basic', 'view.yaml:5: disks.users.auth: '],
  ['no variable', 'kind: rest\nbase_url: https://x\nauth: service', /^view\.yaml:\d: disks\.users\.token_env: /],
  [
    'a variable that nobody needs',
    'kind: rest\nbase_url: https://x\nauth: none\ntoken_env: FILES_TOKEN',
    'view.yaml:6: disks.users.token_env: Unrecognized key',
  ],
  [
    'a token in place of its variable',
    'kind: rest\nbase_url: https://x\nauth: service\ntoken_env: eyJhbGciOi.J9',
    'view.yaml:6: disks.users.token_env: ',
  ],
  ['a token', 'kind: rest\nbase_url: https://x\nauth: service\ntoken: abc', /^view\.yaml:\d: disks\.users\.token/],
  ['no time', 'kind: rest\nbase_url: https://x\nauth: none\ntimeout_ms: 0', 'view.yaml:6: disks.users.timeout_ms: '],
])('is refused with its line: %s', (_, settings, message) => {
  expect(() => parse(settings)).toThrow(message);
});

test.each([
  ['NO_TOKEN', 'view.yaml:2: disk users: the variable NO_TOKEN of token_env is not set.'],
  ['BAD_TOKEN', 'view.yaml:2: disk users: the variable BAD_TOKEN of token_env holds no bearer token.'],
])('does not start without the token of the service: %s', async (variable, message) => {
  const settings = `kind: rest\nbase_url: https://x\nauth: service\ntoken_env: ${variable}`;
  await expect(open(settings)).rejects.toThrow(message);
});
