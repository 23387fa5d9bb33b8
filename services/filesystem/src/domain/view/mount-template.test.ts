import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualPath } from '../path/virtual-path.ts';
import { type MountTemplate, mountFor, privateFolder, unknownPlaceholders } from './mount-template.ts';

const source = { disk: 'workspace', priority: 0, isOptional: false };

function templateOf(remote = '/users/{uid}/{session_id}'): MountTemplate {
  return {
    path: VirtualPath.parse('/workspace'),
    sources: [{ ...source, remote }],
    isReadOnly: false,
    isOutput: true,
  };
}

function remoteFor(uid: string, remote?: string): string {
  const values = { uid, sessionId: '0000-s', digest: () => 'd'.repeat(64) };
  return mountFor(templateOf(remote), values).sources[0].remote.text;
}

test('fills in who it is for', () => {
  const values = { uid: 'ada', sessionId: '0000-s', digest: () => '' };
  expect(mountFor(templateOf(), values)).toEqual({
    ...templateOf(),
    sources: [{ ...source, remote: VirtualPath.parse('/users/ada/0000-s') }],
  });
});

test.each([
  ['ada@example.com', '/users/ada%40example%2ecom/0000-s'],
  ['..', '/users/%2e%2e/0000-s'],
  ['a/../../b', '/users/a%2f%2e%2e%2f%2e%2e%2fb/0000-s'],
  ['{session_id}', '/users/%7bsession_id%7d/0000-s'],
  ['Ada', '/users/%41da/0000-s'],
  ['~', '/users/%7e/0000-s'],
  ['$&', '/users/%24%26/0000-s'],
  ['x'.repeat(255), `/users/%-${'d'.repeat(64)}/0000-s`],
])('writes the uid %j so that it is one segment of its own', (uid, remote) => {
  expect(remoteFor(uid)).toBe(remote);
});

test('gives different users different directories, also where case does not count', () => {
  const uid = fc.string({ minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(uid, uid, (left, right) => {
      fc.pre(left !== right);
      expect(remoteFor(left).toLowerCase()).not.toBe(remoteFor(right).toLowerCase());
      expect(VirtualPath.parse(remoteFor(left)).segments).toHaveLength(3);
    }),
    { numRuns: 1000 },
  );
});

test('tells placeholders that mean nothing', () => {
  expect(unknownPlaceholders('/{uid}/{run_id}/{session_id}{}')).toEqual(['{run_id}', '{}']);
});

test.each([
  ['/', undefined],
  ['/shared', undefined],
  ['/{uid}', undefined],
  ['/{session_id}', '/00000000-0000-7000-8000-0000000000b1'],
  ['/{uid}/{session_id}', '/ada/00000000-0000-7000-8000-0000000000b1'],
  ['/of/{uid}-{session_id}/files/deep', '/of/ada-00000000-0000-7000-8000-0000000000b1'],
  ['/{session_id}/a/{session_id}', '/00000000-0000-7000-8000-0000000000b1'],
])('finds what of %s is private to a session: %s', (remote, folder) => {
  const sessionId = '00000000-0000-7000-8000-0000000000b1';
  const [mounted] = mountFor(templateOf(remote), { uid: 'ada', sessionId, digest: () => 'x' }).sources;
  expect(privateFolder(mounted, sessionId)?.text).toBe(folder);
  expect(privateFolder(mounted, '00000000-0000-7000-8000-0000000000b2')).toBeUndefined();
});
