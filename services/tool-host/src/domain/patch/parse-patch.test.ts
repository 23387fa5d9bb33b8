import { describe, expect, test } from 'vitest';
import { parsePatch } from './parse-patch.ts';

const patch = (...lines: readonly string[]) => ['*** Begin Patch', ...lines, '*** End Patch'].join('\n');
const keep = (text: string) => ({ kind: 'keep', text });
const remove = (text: string) => ({ kind: 'remove', text });
const add = (text: string) => ({ kind: 'add', text });

test('reads every kind of section', () => {
  const text = patch(
    '*** Add File: new file.txt',
    '+one',
    '+',
    '*** Update File: /workspace/a.py',
    '*** Move to: b.py',
    '@@ class A:',
    '@@     def run(self):',
    ' kept',
    '-old',
    '+new',
    '*** Delete File: gone',
    '*** Update File: c',
    '-last',
    '*** End of File',
  );
  expect(parsePatch(text)).toEqual([
    { type: 'add', path: 'new file.txt', lines: ['one', ''] },
    {
      type: 'update',
      path: '/workspace/a.py',
      moveTo: 'b.py',
      hunks: [
        {
          headers: ['class A:', '    def run(self):'],
          lines: [keep('kept'), remove('old'), add('new')],
          isAtEnd: false,
        },
      ],
    },
    { type: 'delete', path: 'gone' },
    {
      type: 'update',
      path: 'c',
      moveTo: undefined,
      hunks: [{ headers: [], lines: [remove('last')], isAtEnd: true }],
    },
  ]);
});

describe('forgives', () => {
  const one = [
    { type: 'update', path: 'a', moveTo: undefined, hunks: [{ headers: [], lines: [add('x')], isAtEnd: false }] },
  ];

  test.each([
    ['empty lines around and between', `\n${patch('', '*** Update File: a', '@@', '+x', '', '')}\n\n`],
    ['line ends of Windows', patch('*** Update File: a', '@@', '+x').replaceAll('\n', '\r\n')],
    ['line numbers behind @@', patch('*** Update File: a', '@@ -1,2 +1,3 @@ def f():', '+x')],
  ])('%s', (_, text) => {
    expect(parsePatch(text)).toEqual(one);
  });

  test('the missing blank of an empty line that is kept', () => {
    const [update] = parsePatch(patch('*** Update File: a', '-x', '', '+y'));
    expect(update).toMatchObject({ hunks: [{ lines: [remove('x'), keep(''), add('y')] }] });
  });
});

test.each([
  ['no beginning', 'diff --git a b', 1, 'begin with "*** Begin Patch"'],
  ['no end', '*** Begin Patch\n*** Delete File: a', 2, 'the patch ends, where'],
  ['nothing in it', patch(), 2, 'it has no section'],
  ['something behind its end', `${patch('*** Delete File: a')}\nyes`, 4, 'nothing may follow'],
  ['an unknown section', patch('*** Rename File: a'), 2, 'there is "*** Rename File: a", where'],
  ['a section without a path', patch('*** Delete File:  '), 3, 'has no path'],
  ['a new file with a bare line', patch('*** Add File: a', '+x', 'y'), 4, 'every line of a new file begins with "+"'],
  ['a bare line in a hunk', patch('*** Update File: a', '@@', 'y'), 4, 'lines of a hunk begin with'],
  ['a hunk that changes nothing', patch('*** Update File: a', '@@ x', ' y'), 5, 'changes nothing'],
  ['a section that changes nothing', patch('*** Update File: a'), 3, 'the section of a changes nothing'],
])('refuses %s and says where', (_, text, line, why) => {
  expect(() => parsePatch(text)).toThrow(
    expect.objectContaining({
      reason: 'INVALID_FIELD',
      facts: { line },
      message: expect.stringMatching(new RegExp(`^The patch can not be read, line ${line}: .*${RegExp.escape(why)}`)),
    }),
  );
});
