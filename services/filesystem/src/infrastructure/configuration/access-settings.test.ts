import { brandId, type SessionId, type Uid } from '@spanwise/kernel';
import { expect, test } from 'vitest';
import { operations } from '../../domain/access/operation.ts';
import { VirtualPath } from '../../domain/path/virtual-path.ts';
import { readAccess } from './access-settings.ts';
import { YamlSource } from './yaml-source.ts';

const path = (text: string) => VirtualPath.parse(text);
const mounts = ['/workspace', '/library/docs'].map((text) => ({ path: path(text) }));
const read = (text: string) => readAccess(new YamlSource('view.yaml', text), mounts);
const caller = (uid: string, session: string) => ({
  uid: brandId<Uid>(uid),
  sessionId: brandId<SessionId>(session),
});

const good = `access:
  grants:
    - effect: deny
      who: {users: ["guest-*", mallory], sessions: [s1]}
      operations: [write, delete]
      paths: [/workspace/shared/**]
    - effect: allow
      who: {users: [alice]}
      operations: [read, write, delete, list, publish]
      paths:
        - /library/docs/private
  protected:
    - "**/.env"
    - /workspace/locked
    - mount: /library/docs/
      names:
        - "index/**"
`;

test('reads grants', () => {
  const { grants } = read(good);
  const may = (uid: string, session: string, text: string) =>
    operations.filter((operation) => grants.may(operation, caller(uid, session), path(text)));
  expect([
    may('guest-7', 's1', '/workspace/shared/a'),
    may('guest-7', 's2', '/workspace/shared/a'),
    may('guest-7', 's1', '/library/docs/private/a'),
    may('alice', 's1', '/library/docs/private/a'),
  ]).toEqual([['read', 'list', 'publish'], [...operations], [], [...operations]]);
});

test('reads protected names', () => {
  const { protectedNames } = read(good);
  const isProtected = (text: string, mount: string) => {
    try {
      protectedNames.assertMayChange(path(text), path(mount));
      return false;
    } catch {
      return true;
    }
  };
  const inWork = ['a/.env', 'locked/a', 'index/a', 'a'].filter((each) =>
    isProtected(`/workspace/${each}`, '/workspace'),
  );
  const inDocs = ['a/.env', 'locked/a', 'index/a', 'a'].filter((each) =>
    isProtected(`/library/docs/${each}`, '/library/docs'),
  );
  expect({ inWork, inDocs }).toEqual({ inWork: ['a/.env', 'locked/a'], inDocs: ['a/.env', 'index/a'] });
});

test.each(['access: {}', 'access: {grants: []}', 'access: {protected: []}'])('%s allows everything', (text) => {
  const { grants, protectedNames } = read(text);
  expect(operations.every((operation) => grants.may(operation, caller('u', 's'), path('/workspace')))).toBe(true);
  expect(protectedNames.mayHoldProtected(path('/workspace'), path('/workspace'))).toBe(false);
});

function withLine(number: number, line: string): string {
  return good
    .split('\n')
    .map((text, index) => (index + 1 === number ? line : text))
    .join('\n');
}

const operationsAt = 'view.yaml:5: access.grants.0.operations';

test.each([
  ['access that is empty', 1, 'access:\nx:', /^view\.yaml:1: access: /],
  ['an unknown key of access', 1, 'access:\n  rules: []', /^view\.yaml:2: access\.rules: Unrecognized key/],
  ['an unknown effect', 3, '    - effect: maybe', /^view\.yaml:3: access\.grants\.0\.effect: /],
  ['a rule without an effect', 3, '    - #', /^view\.yaml:4: access\.grants\.0\.effect: /],
  [
    'a service whose name is none',
    4,
    '      who: {services: [Tool Host]}',
    /^view\.yaml:4: access\.grants\.0\.who\.services\.0: /,
  ],
  ['who is nobody', 4, '      who: {}', 'view.yaml:4: access.grants.0.who: names no users, sessions or services.'],
  ['an empty list of users', 4, '      who: {users: []}', /^view\.yaml:4: access\.grants\.0\.who\.users: Too small/],
  ['an empty user', 4, '      who: {users: [""]}', /^view\.yaml:4: access\.grants\.0\.who\.users\.0: Too small/],
  ['an unknown operation', 5, '      operations: [move]', `${operationsAt}.0: `],
  ['no operation', 5, '      operations: []', `${operationsAt}: Too small`],
  ['no path', 6, '      paths: []', /^view\.yaml:6: access\.grants\.0\.paths: Too small/],
  ['a path of no view', 11, '        - library/**', 'view.yaml:11: library/** does not start with /.'],
  [
    'a path that no mount has',
    11,
    '        - /libary/docs/**',
    'view.yaml:11: no mount is at /libary/docs/**, above it or below it.',
  ],
  ['a broken pattern', 11, '        - "/library/[a"', 'view.yaml:11: Not a usable pattern: "[a": a [ is not closed.'],
  ['a broken protected name', 13, '    - "a/../b"', /^view\.yaml:13: Not a usable pattern: /],
  ['a protected path that no mount has', 14, '    - /work/locked', /^view\.yaml:14: no mount is at \/work\/locked/],
  ['a protected name that is none', 14, '    - 7', /^view\.yaml:14: access\.protected\.1: /],
  ['an unknown mount', 15, '    - mount: /docs', 'view.yaml:15: /docs is not among the mounts.'],
  ['a mount that is no path', 15, '    - mount: docs', /^view\.yaml:15: Not a usable path: "docs": not absolute/],
  ['a name of a mount as a path', 17, '        - /index', /^view\.yaml:17: \/index starts with \//],
  ['no names of a mount', 16, '      names: []\nx:', /^view\.yaml:16: access\.protected\.2\.names: Too small/],
] as const)('refuses %s with its line', (_, number, line, message) => {
  expect(() => read(withLine(number, line))).toThrow(message);
});
