import { noPolicy } from '@spanwise/tool-kit/contract';
import { describe, expect, test } from 'vitest';
import { ToolBench } from '../../../tests/tool-calls.ts';
import { builtInTools } from './built-in-tools.ts';

const read = (value: string) => ({ kind: 'path', value, access: 'read' });
const write = (value: string) => ({ kind: 'path', value, access: 'write' });
const tree = (target: object) => ({ ...target, isTree: true });

const patch = [
  '*** Begin Patch',
  '*** Update File: a',
  '*** Move to: secret/b',
  '*** Delete File: /inputs/../c',
  '*** Add File: d',
  '*** End Patch',
].join('\n');

test.each([
  ['read', { path: 'a' }, [read('/workspace/a')]],
  ['ls', {}, [read('/workspace')]],
  ['glob', { pattern: '**/*.ts', path: 'src' }, [read('/workspace/src')]],
  ['glob', { pattern: '/inputs/x/*.ts' }, [read('/inputs/x')]],
  ['glob', { pattern: '../secret/*' }, [read('/secret')]],
  ['grep', { pattern: 'x' }, [tree(read('/workspace'))]],
  ['write', { path: '../a', content: '' }, [write('/a')]],
  ['edit', { path: './a/', old_text: 'a', new_text: 'b' }, [read('/workspace/a'), write('/workspace/a')]],
  [
    'apply_patch',
    { patch },
    [read('/workspace/a'), ...['/workspace/a', '/workspace/secret/b', '/c', '/workspace/d'].map(write)],
  ],
  ['mkdir', { path: 'a' }, [write('/workspace/a')]],
  ['move', { from: 'a', to: '/b' }, [tree(read('/workspace/a')), tree(write('/workspace/a')), tree(write('/b'))]],
  ['delete', { path: 'a' }, [write('/workspace/a')]],
  ['delete', { path: 'a', recursive: true }, [tree(write('/workspace/a'))]],
])('%s %j tells what it touches', (name, input, targets) => {
  const tool = builtInTools.find((each) => each.name === name);
  const parsed = tool?.input.parse(input);
  expect(parsed?.isValid === true && tool?.targets?.(parsed.input)).toEqual(targets);
});

describe('a rule against writing to a directory', () => {
  const secret = '/workspace/secret/a.txt';
  const patched = (...lines: readonly string[]) => ({
    patch: ['*** Begin Patch', ...lines, '*** End Patch'].join('\n'),
  });

  test.each([
    ['write', { path: secret, content: 'x' }],
    ['write', { path: 'x/../secret/new', content: 'x' }],
    ['edit', { path: secret, old_text: 'one', new_text: 'x' }],
    ['apply_patch', patched('*** Update File: open.txt', '-one', '+x', '*** Update File: secret/a.txt', '-one', '+x')],
    ['apply_patch', patched('*** Update File: open.txt', '*** Move to: secret/b')],
    ['move', { from: 'open.txt', to: 'secret/b' }],
    ['move', { from: 'secret', to: 'b' }],
    ['mkdir', { path: 'secret/b' }],
    ['delete', { path: secret }],
    ['delete', { path: '.', recursive: true }],
  ])('refuses %s %j before anything is changed', async (tool, input) => {
    const bench = new ToolBench();
    bench.files.put(secret, 'one');
    bench.files.put('/workspace/open.txt', 'one');
    const policy = { ...noPolicy, deny: ['write(/workspace/secret/*)'] };
    const { result } = await bench.call(tool, input, { policy });
    expect(result).toMatchObject({ outcome: 'error', code: 'TOOL_DENIED' });
    expect(bench.files.calls).toEqual([]);
  });

  test('lets pass what goes elsewhere', async () => {
    const bench = new ToolBench();
    const policy = { ...noPolicy, deny: ['write(/workspace/secret/*)'] };
    const { result } = await bench.call('write', { path: 'open.txt', content: 'x' }, { policy });
    expect(result).toMatchObject({ outcome: 'ok' });
  });
});

describe('a rule against reading', () => {
  const patched = ['*** Begin Patch', '*** Update File: secret/k', '*** Move to: y', '*** End Patch'].join('\n');

  test.each([
    ['read', { path: 'secret/k' }],
    ['grep', { pattern: 'x' }],
    ['move', { from: 'secret/k', to: 'x' }],
    ['move', { from: 'secret', to: 'x' }],
    ['edit', { path: 'secret/k', old_text: 'KEY', new_text: 'x' }],
    ['apply_patch', { patch: patched }],
  ])('holds for %s %j, whatever the rule looks like', async (tool, input) => {
    for (const rule of [
      'read(/workspace/secret/*)',
      'read(*/secret/*)',
      'read(/workspace/*/k)',
      '*(/workspace/secret/*)',
    ]) {
      const bench = new ToolBench();
      bench.files.put('/workspace/secret/k', 'KEY=x');
      const { result } = await bench.call(tool, input, { policy: { ...noPolicy, deny: [rule] } });
      expect([rule, result.code]).toEqual([rule, 'TOOL_DENIED']);
      expect(bench.files.text('/workspace/secret/k')).toBe('KEY=x');
    }
  });
});
