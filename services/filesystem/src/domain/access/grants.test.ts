import { brandId, type SessionId, type Uid } from '@spanwise/kernel';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileRe2Glob } from '../../infrastructure/matching/re2-glob.ts';
import { VirtualPath } from '../path/virtual-path.ts';
import { AccessRules, type GrantCaller, type GrantRule } from './grants.ts';
import { type Operation, operations } from './operation.ts';
import { PathPattern } from './path-pattern.ts';
import { UidPattern } from './uid-pattern.ts';

interface RuleText {
  readonly effect: 'allow' | 'deny';
  readonly users?: readonly string[];
  readonly sessions?: readonly string[];
  readonly operations?: readonly Operation[];
  readonly paths: readonly string[];
}

const rule = ({ effect, users, sessions, operations: named = operations, paths }: RuleText): GrantRule => ({
  effect,
  users: users?.map((user) => new UidPattern(user)),
  sessions: sessions?.map((session) => brandId<SessionId>(session)),
  operations: named,
  paths: paths.map((path) => PathPattern.parse(path, compileRe2Glob)),
});
const rulesOf = (...rules: readonly RuleText[]) => new AccessRules(rules.map(rule));
const path = (text: string) => VirtualPath.parse(text);
const caller = (uid: string, session = 's1'): GrantCaller => ({
  uid: brandId<Uid>(uid),
  sessionId: brandId<SessionId>(session),
});
const alice = caller('alice');
const bob = caller('bob');

/** The operations that a caller may do on a path. */
const may = (rules: AccessRules, who: GrantCaller, text: string) =>
  operations.filter((operation) => rules.may(operation, who, path(text)));

test('allows everything without rules', () => {
  expect(may(AccessRules.none, alice, '/workspace/a')).toEqual([...operations]);
  expect(operations.every((operation) => AccessRules.none.mayAll(operation, alice, VirtualPath.root))).toBe(true);
  expect(AccessRules.none.isVisible(alice, path('/a'))).toBe(true);
});

test('refuses with path and operation', () => {
  const rules = rulesOf({ effect: 'deny', operations: ['write'], paths: ['/docs'] });
  const refusal = expect.objectContaining({
    name: 'DomainError',
    kind: 'denied',
    reason: 'NOT_GRANTED',
    message: 'Not granted: write "/docs/a".',
    facts: { path: '/docs/a', operation: 'write' },
  });
  expect(() => rules.assertMay('write', alice, path('/docs/a'))).toThrow(refusal);
  expect(() => rules.assertMayAll('write', alice, path('/docs/a'))).toThrow(refusal);
  rules.assertMay('read', alice, path('/docs/a'));
  rules.assertMayAll('read', alice, path('/docs'));
});

test('a deny rule refuses its operations to its callers, and leaves everything else', () => {
  const rules = rulesOf({ effect: 'deny', users: ['b*'], operations: ['write', 'delete'], paths: ['/docs/**'] });
  expect([
    may(rules, bob, '/docs/a'),
    may(rules, bob, '/docs'),
    may(rules, bob, '/workspace'),
    may(rules, alice, '/docs/a'),
  ]).toEqual([['read', 'list', 'publish'], ['read', 'list', 'publish'], [...operations], [...operations]]);
});

test('an allow rule reserves its paths for whom and what it names', () => {
  const rules = rulesOf({ effect: 'allow', users: ['alice'], operations: ['read', 'list'], paths: ['/docs'] });
  expect([
    may(rules, alice, '/docs/a'),
    may(rules, bob, '/docs/a'),
    may(rules, bob, '/docs'),
    may(rules, bob, '/docsx'),
    may(rules, bob, '/'),
  ]).toEqual([['read', 'list'], [], [], [...operations], [...operations]]);
});

test('several allow rules add up, also one within what another reserves', () => {
  const rules = rulesOf(
    { effect: 'allow', users: ['alice'], paths: ['/docs'] },
    { effect: 'allow', operations: ['read'], paths: ['/docs/public'] },
  );
  expect([may(rules, alice, '/docs/public/a'), may(rules, bob, '/docs/public/a'), may(rules, bob, '/docs/a')]).toEqual([
    [...operations],
    ['read'],
    [],
  ]);
});

test('a deny rule wins over an allow rule, also a closer one', () => {
  const rules = rulesOf(
    { effect: 'allow', users: ['alice'], paths: ['/docs/a/b/c'] },
    { effect: 'deny', operations: ['delete'], paths: ['/docs'] },
  );
  expect(may(rules, alice, '/docs/a/b/c')).toEqual(['read', 'write', 'list', 'publish']);
});

test('a rule for sessions holds in these only, and for users in them if it names both', () => {
  const rules = rulesOf(
    { effect: 'deny', sessions: ['s2', 's3'], operations: ['write'], paths: ['/'] },
    { effect: 'deny', users: ['bob'], sessions: ['s1'], operations: ['read'], paths: ['/'] },
  );
  const refused = [alice, caller('alice', 's2'), bob, caller('bob', 's3')].map((who) => {
    const allowed = may(rules, who, '/a');
    return operations.filter((operation) => !allowed.includes(operation));
  });
  expect(refused).toEqual([[], ['write'], ['read'], ['write']]);
});

test('what closes a path can not be spelled around, what opens it has to be exact', () => {
  const denied = rulesOf({ effect: 'deny', paths: ['/docs/secret'] });
  const reserved = rulesOf({ effect: 'allow', users: ['alice'], paths: ['/docs/secret'] });
  const spellings = ['/docs/SECRET/a', '/docs/\uff53ecret/a', '/docs/se\u200bcret', '/docs/secret.', '/docs/secret:x'];
  const allowed = spellings.flatMap((text) => [
    ...may(denied, alice, text),
    ...may(reserved, bob, text),
    ...may(reserved, alice, text),
  ]);
  expect(allowed).toEqual([]);
});

test('hides what may not be read', () => {
  const rules = rulesOf({ effect: 'deny', users: ['bob'], operations: ['read'], paths: ['/docs/*.key'] });
  const visible = (who: GrantCaller) =>
    ['/docs', '/docs/a', '/docs/a.key'].filter((each) => rules.isVisible(who, path(each)));
  expect([visible(alice), visible(bob)]).toEqual([
    ['/docs', '/docs/a', '/docs/a.key'],
    ['/docs', '/docs/a'],
  ]);
});

test('a whole directory is refused when a rule might refuse something in it', () => {
  const rules = rulesOf(
    { effect: 'deny', users: ['bob'], operations: ['delete'], paths: ['/work/keep/**', '/work/*/x.md'] },
    { effect: 'allow', users: ['alice'], paths: ['/docs/private'] },
  );
  const mayAll = (who: GrantCaller) =>
    ['/', '/work', '/work/keep', '/work/a', '/work/a/b', '/docs', '/docs/private/a', '/docs/other'].filter((each) =>
      rules.mayAll('delete', who, path(each)),
    );
  // What is reserved for alice alone does not close /docs to others; only taking all of it away would.
  expect([mayAll(bob), mayAll(alice)]).toEqual([
    ['/work/a/b', '/docs/other'],
    ['/work', '/work/keep', '/work/a', '/work/a/b', '/docs/private/a', '/docs/other'],
  ]);
  expect(may(rules, bob, '/docs')).toEqual([...operations]);
});

const textOf = (names: readonly string[]) => `/${names.join('/')}`;
const anyPath = fc.array(fc.constantFrom('a', 'A', 'b'), { maxLength: 4 }).map(textOf);
const anyGlob = fc.array(fc.constantFrom('a', 'b', '*', '**'), { maxLength: 3 }).map(textOf);
const anyCaller = fc
  .tuple(fc.constantFrom('alice', 'bob'), fc.constantFrom('s1', 's2'))
  .map(([uid, s]) => caller(uid, s));
const anyOperation = fc.constantFrom(...operations);
const anyRule = (effect: fc.Arbitrary<'allow' | 'deny'>) =>
  fc.record(
    {
      effect,
      users: fc.constantFrom(['alice'], ['b*'], ['*']),
      sessions: fc.constantFrom(['s1'], ['s2']),
      operations: fc.uniqueArray(anyOperation, { minLength: 1 }),
      paths: fc.array(anyGlob, { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: ['effect', 'paths'] },
  );
const anyRules = fc.array(anyRule(fc.constantFrom('allow', 'deny')), { maxLength: 6 });
const anyDeny = anyRule(fc.constant('deny'));

test('a deny rule that fits always wins', () => {
  fc.assert(
    fc.property(anyRules, anyDeny, anyCaller, anyOperation, anyPath, (rules, deny, who, operation, at) => {
      // Alone it refuses: it fits.
      fc.pre(!rulesOf(deny).may(operation, who, path(at)));
      expect(rulesOf(...rules, deny).may(operation, who, path(at))).toBe(false);
    }),
    { numRuns: 2000 },
  );
});

test('the order of rules does not matter', () => {
  const shuffled = anyRules.chain((rules) =>
    fc.tuple(fc.constant(rules), fc.shuffledSubarray(rules, { minLength: rules.length })),
  );
  fc.assert(
    fc.property(shuffled, anyCaller, anyPath, ([rules, others], who, at) => {
      expect(may(rulesOf(...others), who, at)).toEqual(may(rulesOf(...rules), who, at));
    }),
    { numRuns: 2000 },
  );
});

test('adding a deny rule never allows more', () => {
  fc.assert(
    fc.property(anyRules, anyDeny, anyCaller, anyOperation, anyPath, (rules, deny, who, operation, at) => {
      const [before, after] = [rulesOf(...rules), rulesOf(deny, ...rules)];
      expect(after.may(operation, who, path(at)) && !before.may(operation, who, path(at))).toBe(false);
      expect(after.mayAll(operation, who, path(at)) && !before.mayAll(operation, who, path(at))).toBe(false);
    }),
    { numRuns: 2000 },
  );
});

test('what may be done to a whole directory may be done to all within it', () => {
  const below = fc.array(fc.constantFrom('a', 'A', 'b'), { maxLength: 3 });
  fc.assert(
    fc.property(anyRules, anyCaller, anyOperation, anyPath, below, (rules, who, operation, at, names) => {
      const directory = path(at);
      const access = rulesOf(...rules);
      fc.pre(access.mayAll(operation, who, directory));
      const inside = names.reduce((parent, name) => parent.child(name), directory);
      expect(access.may(operation, who, inside)).toBe(true);
    }),
    { numRuns: 5000 },
  );
});
