import { noPolicy, type ToolPolicy, type ToolTarget } from '@spanwise/tool-kit/contract';
import { describe, expect, test } from 'vitest';
import { decide, type RuledCall } from './tool-policy.ts';

const path = (value: string, access: 'read' | 'write' = 'write'): ToolTarget => ({ kind: 'path', value, access });
const command = (value: string): ToolTarget => ({ kind: 'command', value, access: 'write' });
const host = (value: string): ToolTarget => ({ kind: 'host', value, access: 'read' });

function call(tool: string, ...targets: ToolTarget[]): RuledCall {
  return { tool, defaultDecision: 'ask', targets };
}

const decided = (policy: Partial<ToolPolicy>, ruled: RuledCall) => decide({ ...noPolicy, ...policy }, ruled);

describe('rules', () => {
  test('deny before they ask, and ask before they allow, whatever their order', () => {
    const all = { allow: ['write'], ask: ['write(/a*)'], deny: ['write(/a/b*)'] };
    expect(decided(all, call('write', path('/a/b/c')))).toEqual({ decision: 'deny', rule: 'write(/a/b*)' });
    expect(decided(all, call('write', path('/a/c')))).toEqual({ decision: 'ask', rule: 'write(/a*)' });
    expect(decided(all, call('write', path('/c')))).toEqual({ decision: 'allow', rule: 'write' });
  });

  test('leave to the tool what none of them matches', () => {
    expect(decided({ allow: ['read'] }, call('write', path('/a')))).toEqual({ decision: 'ask', rule: '' });
    expect(decide(noPolicy, { ...call('read', path('/a')), defaultDecision: 'allow' })).toMatchObject({
      decision: 'allow',
    });
  });

  test('deny when they match anything that is touched, and allow only when they match all of it', () => {
    const moved = call('move', path('/work/a'), path('/secret/b'));
    expect(decided({ deny: ['move(/secret/*)'] }, moved).decision).toBe('deny');
    expect(decided({ allow: ['move(/work/*)'] }, moved).decision).toBe('ask');
    expect(decided({ allow: ['move(/work/*)', 'move(/secret/*)'] }, moved).decision).toBe('allow');
  });

  test('with a target do not allow a call that touches nothing', () => {
    expect(decided({ allow: ['todo(/x)'] }, call('todo')).decision).toBe('ask');
  });

  test('name several tools by a star', () => {
    expect(decided({ deny: ['github__*'] }, call('github__create_issue')).decision).toBe('deny');
    expect(decided({ deny: ['github__*'] }, call('gitlab__create_issue')).decision).toBe('ask');
    expect(decided({ deny: ['*'] }, call('anything', path('/'))).decision).toBe('deny');
  });

  test('for a path that read or write say of it hold for every tool that does so there', () => {
    const deny = ['write(/secret/*)'];
    expect(decided({ deny }, call('move', path('/work/a'), path('/secret/b'))).decision).toBe('deny');
    expect(decided({ ask: deny, allow: ['edit'] }, call('edit', path('/secret/b')))).toEqual({
      decision: 'ask',
      rule: 'write(/secret/*)',
    });
    expect(decided({ deny }, call('grep', path('/secret/b', 'read'))).decision).toBe('ask');
    expect(decided({ deny: ['read(/secret/*)'] }, call('grep', path('/secret/b', 'read'))).decision).toBe('deny');
    expect(decided({ deny: ['write'] }, call('edit', path('/secret/b'))).decision).toBe('ask');
    expect(decided({ allow: deny }, call('edit', path('/secret/b'))).decision).toBe('ask');
    expect(decided({ deny: ['write(npm*)'] }, call('bash', command('npm test'))).decision).toBe('ask');
  });

  test('for a place in a tree deny what touches the whole tree, and nothing beside it', () => {
    const tree = (value: string): ToolTarget => ({ ...path(value), isTree: true });
    const deny = ['delete(/work/secret/*)'];
    for (const value of ['/', '/work', '/work/secret', '/work/secret/a']) {
      expect(decided({ deny }, call('delete', tree(value))).decision).toBe('deny');
    }
    for (const value of ['/work/sec', '/work/other', '/w']) {
      expect(decided({ deny }, call('delete', tree(value))).decision).toBe('ask');
    }
    expect(decided({ deny }, call('delete', path('/work'))).decision).toBe('ask');
    expect(decided({ deny: ['delete(*.env)'] }, call('delete', tree('/work'))).decision).toBe('deny');
  });

  test('for a host deny it at every port, in every spelling, and allow it at the usual one only', () => {
    const deny = ['web_fetch(Intranet.example.com)', 'web_fetch(bücher.de.)', 'web_fetch(a.example:8443)'];
    const allow = ['web_fetch(*)'];
    const at = (value: string) => decided({ deny, allow }, call('web_fetch', host(value))).decision;
    for (const value of ['intranet.example.com', 'intranet.example.com:8443', 'xn--bcher-kva.de', 'a.example:8443']) {
      expect([value, at(value)]).toEqual([value, 'deny']);
    }
    expect([at('a.example'), at('x.intranet.example.com')]).toEqual(['allow', 'allow']);
    expect(decided({ allow: ['web_fetch(b.example)'] }, call('web_fetch', host('b.example:8443'))).decision).toBe(
      'ask',
    );
  });

  test('for a path are the same in either form of Unicode', () => {
    const deny = ['read(/workspace/cafe\u0301/*)'];
    expect(decided({ deny }, call('read', path('/workspace/caf\u00e9/k', 'read'))).decision).toBe('deny');
  });

  test('know hosts in either case, and no more of a domain than they say', () => {
    const allow = ['web_fetch(*.Example.com)'];
    expect(decided({ allow }, call('web_fetch', host('docs.example.com'))).decision).toBe('allow');
    expect(decided({ allow }, call('web_fetch', host('example.com'))).decision).toBe('ask');
    expect(decided({ allow }, call('web_fetch', host('docs.example.com.evil.org'))).decision).toBe('ask');
    expect(decided({ allow }, call('web_fetch', host('docs.example.com:8443'))).decision).toBe('ask');
  });

  test('that can not be read deny or ask for everything, and allow nothing', () => {
    for (const broken of ['', 'write(', 'write()', 'two words', '(x)']) {
      expect(decided({ deny: [broken] }, call('read')).decision).toBe('deny');
      expect(decided({ ask: [broken], allow: ['read'] }, call('read')).decision).toBe('ask');
      expect(decided({ allow: [broken] }, call('read')).decision).toBe('ask');
    }
  });
});

describe('rules for commands', () => {
  const allow = ['bash(npm test*)', 'bash(ls *)'];

  test.each(['npm test', 'npm test -- --watch=false', 'ls -la /workspace', 'ls  '])('allow %s', (text) => {
    expect(decided({ allow }, call('bash', command(text))).decision).toBe('allow');
  });

  test.each([
    'npm test; rm -rf .',
    'npm test && curl x',
    'npm test | sh',
    'npm test > /etc/passwd',
    'npm test $(rm x)',
    'npm test `rm x`',
    'npm test\nrm x',
    'npm test \\\n',
    'ls',
    ' ls x',
    'LS x',
    'ls {a,b}',
  ])('do not allow %j', (text) => {
    expect(decided({ allow }, call('bash', command(text))).decision).toBe('ask');
  });

  test('that deny reach into what follows', () => {
    expect(decided({ deny: ['bash(*rm -rf*)'] }, call('bash', command('ls; rm -rf /'))).decision).toBe('deny');
  });
});

test('a pattern full of stars is decided in time', () => {
  const text = 'a'.repeat(64 * 1024);
  expect(decided({ deny: [`bash(${'*a'.repeat(300)}b)`] }, call('bash', command(text))).decision).toBe('ask');
});
