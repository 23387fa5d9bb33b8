import { DomainError } from '@spanwise/kernel';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyHunks } from './apply-hunks.ts';
import { parsePatch } from './parse-patch.ts';
import type { Hunk, HunkLine } from './patch.ts';

/** Applies the lines of one section. */
function apply(text: string, ...section: readonly string[]): string {
  const [action] = parsePatch(['*** Begin Patch', '*** Update File: f', ...section, '*** End Patch'].join('\n'));
  return action?.type === 'update' ? applyHunks('f', text, action.hunks) : expect.fail('no update');
}

function refusalOf(text: string, ...section: readonly string[]): string {
  try {
    apply(text, ...section);
  } catch (error) {
    return error instanceof DomainError ? `${error.reason}: ${error.message}` : String(error);
  }
  return expect.fail('it was applied');
}

describe('a hunk', () => {
  test.each([
    ['replaces lines', 'a\nb\nc\n', [' a', '-b', '+B'], 'a\nB\nc\n'],
    ['adds behind a line', 'a\nb\n', [' a', '+x', '+y'], 'a\nx\ny\nb\n'],
    ['adds before a line', 'a\nb\n', ['+x', ' a'], 'x\na\nb\n'],
    ['removes lines', 'a\nb\nc\n', ['-a', '-b'], 'c\n'],
    ['removes all there is', 'a\n', ['-a'], ''],
    ['follows another one', 'a\nb\nc\nd\n', ['-a', '+A', '@@', '-d', '+D'], 'A\nb\nc\nD\n'],
    ['fills an empty file', '', ['+a', '+b'], 'a\nb\n'],
    ['adds at the end', 'a\n', ['+b', '*** End of File'], 'a\nb\n'],
    ['means the last lines', 'a\nb\na\n', ['-a', '+x', '*** End of File'], 'a\nb\nx\n'],
    ['takes $& as it is', 'a\n', ['-a', '+$& $1'], '$& $1\n'],
  ])('%s', (_, text, section, changed) => {
    expect(apply(text, ...section)).toBe(changed);
  });

  test.each([
    ['of Windows', 'a\r\nb\r\n', ['-b', '+x', '+y'], 'a\r\nx\r\ny\r\n'],
    ['of both kinds', 'a\r\nb\nc\n', [' b', '+x'], 'a\r\nb\nx\nc\n'],
    ['that a file does not have at its end', 'a\nb', ['-b', '+x', '+y'], 'a\nx\ny'],
    ['that a file does not have at its end, behind which is added', 'a\r\nb', [' b', '+x'], 'a\r\nb\r\nx'],
    ['that a last line has whose end is removed', 'a\nb\n', ['-b'], 'a\n'],
  ])('keeps line ends %s', (_, text, section, changed) => {
    expect(apply(text, ...section)).toBe(changed);
  });

  test('looks past blanks at the ends of lines only where nothing fits exactly, and keeps those of kept lines', () => {
    expect(apply('a  \nb\t\n', ' a', '-b', '+B')).toBe('a  \nB\n');
    expect(apply('a \nb\na\nb\n', ' a', '-b', '+B')).toBe('a \nb\na\nB\n');
    expect(refusalOf('  a\n', '-a', '+b')).toMatch(/^EDIT_NO_MATCH/);
  });

  test('goes behind its header where it fits more than one place', () => {
    const text = 'def f\n  x\ndef g\n  x\n  x\n';
    expect(apply(text, '@@ def g', '-  x', '+  y')).toBe('def f\n  x\ndef g\n  y\n  x\n');
    expect(apply(text, '@@ def g', '@@   x', '+  y')).toBe('def f\n  x\ndef g\n  x\n  y\n  x\n');
    expect(apply(text, '@@ def g', '+  y')).toBe('def f\n  x\ndef g\n  y\n  x\n  x\n');
  });

  test('that fits one place only does not need its header', () => {
    expect(apply('a\nb\n', '@@ nowhere', '-b', '+x')).toBe('a\nx\n');
  });
});

test.each([
  [
    'what is there instead',
    'one\ntwo\nthree\n',
    [' one', '-too', '+2'],
    'EDIT_NO_MATCH: Hunk 1 of f does not fit: its old lines are not in the file. The nearest place is line 1, where line 2 ' +
      'differs: the patch has "too", the file has "two". Read the file and copy the lines exactly. Nothing was changed.',
  ],
  [
    'that blanks at the beginning differ',
    'if x:\n\treturn 1\n',
    [' if x:', '-    return 1'],
    'EDIT_NO_MATCH: Hunk 1 of f does not fit: its old lines are not in the file. The nearest place is line 1, where line 2 ' +
      'differs: the patch has "    return 1", the file has "\\treturn 1". Read the file and copy the lines exactly. Nothing was changed.',
  ],
  [
    'that the file ends',
    'a\nb\n',
    [' b', '-c'],
    'EDIT_NO_MATCH: Hunk 1 of f does not fit: its old lines are not in the file. The nearest place is line 2, where line 3 ' +
      'differs: the patch has "c", the file ends. Read the file and copy the lines exactly. Nothing was changed.',
  ],
  ['that nothing is like it', 'a\n', ['-z'], /its old lines are not in the file\. Its first line "z" is nowhere\./],
  [
    'that hunks are in the wrong order',
    'a\nb\n',
    ['-b', '@@', '-a'],
    /^EDIT_NO_MATCH: Hunk 2 .* at line 1, before .* order/,
  ],
  ['that it is not at the end', 'a\nb\n', ['-a', '*** End of File'], /at line 1, not at the end of the file/],
  [
    'where it could be',
    'a\nb\na\n',
    ['-a'],
    'EDIT_AMBIGUOUS: Hunk 1 of f fits more than one place: its old lines are there 2 times (lines 1, 3). Add lines around it ' +
      'until it is unique, or an "@@ " line that is there once. Nothing was changed.',
  ],
  ['where its header could be', 'h\na\nh\na\n', ['@@ h', '-a'], /its line "@@ h" is there 2 times \(lines 1, 3\)/],
  ['that its header is not there', 'a\na\n', ['@@ h', '-a'], /its line "@@ h" is not in the file\./],
  ['that it is not behind its header', 'a\na\nh\n', ['@@ h', '-a'], /its old lines are not behind line 3/],
  [
    'that nothing says where to add',
    'a\n',
    ['+b'],
    /it only adds, and nothing says where\. Add a line before or after it/,
  ],
])('an error says %s', (_, text, section, refusal) => {
  expect(refusalOf(text, ...section)).toEqual(typeof refusal === 'string' ? refusal : expect.stringMatching(refusal));
});

type Edit = { readonly kind: 'keep' | 'remove' | 'add'; readonly text: string };

/** Hunks for the edits of a file: the changed lines with so many lines around them. */
function hunksOf(edits: readonly Edit[], context: number): Hunk[] {
  const near = (index: number) =>
    edits.slice(Math.max(0, index - context), index + context + 1).some(({ kind }) => kind !== 'keep');
  const hunks: Hunk[] = [];
  let open: HunkLine[] = [];
  edits.forEach((edit, index) => {
    if (near(index)) {
      open.push(edit);
    }
    if (open.length > 0 && (!near(index) || index === edits.length - 1)) {
      hunks.push({ headers: [], lines: open, isAtEnd: false });
      open = [];
    }
  });
  return hunks;
}

const kind = fc.constantFrom('keep', 'keep', 'keep', 'remove', 'add' as const);
const lineEnd = fc.constantFrom('\n', '\r\n');
const fileOf = (lines: readonly string[], end: string, isEnded: boolean) =>
  lines.join(end) + (isEnded && lines.length > 0 ? end : '');

function editsOf(text: fc.Arbitrary<string>) {
  return fc.array(fc.record({ kind, text }), { maxLength: 40 }) as fc.Arbitrary<Edit[]>;
}

const sides = (edits: readonly Edit[]) => ({
  before: edits.filter((edit) => edit.kind !== 'add').map((edit) => edit.text),
  after: edits.filter((edit) => edit.kind !== 'remove').map((edit) => edit.text),
});

/** Lines that are not empty at the end: without a line end such a line is none. */
const isWritable = (edits: readonly Edit[]) => sides(edits).before.at(-1) !== '' && sides(edits).after.at(-1) !== '';

describe('a random edit of a random file, made to a patch,', () => {
  test('gives the edited file when all lines are around it', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ' ', '\t', '$&', '+', '-', '@@', '\u{1f600}'), maxLength: 4 });
    fc.assert(
      fc.property(editsOf(text).filter(isWritable), lineEnd, fc.boolean(), (edits, end, isEnded) => {
        const { before, after } = sides(edits);
        // Without a line end in it a file has none to keep.
        fc.pre(before.length > (isEnded ? 0 : 1));
        const changed = applyHunks('f', fileOf(before, end, isEnded), hunksOf(edits, edits.length));
        expect(changed).toBe(fileOf(after, end, isEnded));
      }),
      { numRuns: 500 },
    );
  });

  test('gives the edited file or is refused as ambiguous, never anything else', () => {
    const text = fc.constantFrom('a', 'b', 'c', 'a ', '');
    const counts = { applied: 0, refused: 0 };
    fc.assert(
      fc.property(editsOf(text).filter(isWritable), fc.integer({ min: 1, max: 3 }), (edits, context) => {
        const { before, after } = sides(edits);
        fc.pre(before.length > 0);
        try {
          expect(applyHunks('f', fileOf(before, '\n', true), hunksOf(edits, context))).toBe(fileOf(after, '\n', true));
          counts.applied += 1;
        } catch (error) {
          expect(error).toMatchObject({ reason: 'EDIT_AMBIGUOUS' });
          counts.refused += 1;
        }
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(counts.applied, counts.refused)).toBeGreaterThan(5);
  });

  test('survives being written down and read again', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ' ', '*** ', '@@', '+'), minLength: 1, maxLength: 4 });
    const marks = { keep: ' ', remove: '-', add: '+' } as const;
    fc.assert(
      fc.property(editsOf(text), (edits) => {
        const hunks = hunksOf(edits, 2);
        fc.pre(hunks.length > 0);
        const lines = hunks.flatMap((hunk) => ['@@', ...hunk.lines.map((line) => marks[line.kind] + line.text)]);
        const [action] = parsePatch(['*** Begin Patch', '*** Update File: f', ...lines, '*** End Patch'].join('\n'));
        expect(action).toEqual({ type: 'update', path: 'f', moveTo: undefined, hunks });
      }),
    );
  });
});

test('a long file and a long hunk of equal lines take no longer than they are', () => {
  const file = 'x\n'.repeat(400_000);
  const lines = Array.from({ length: 100_000 }, (): HunkLine => ({ kind: 'keep', text: 'x' }));
  const hunk = (last: HunkLine): Hunk => ({ headers: [], lines: [...lines, last], isAtEnd: true });
  const startMs = performance.now();
  expect(applyHunks('f', file, [hunk({ kind: 'add', text: 'y' })])).toBe(`${file}y\n`);
  expect(() => applyHunks('f', file, [hunk({ kind: 'remove', text: 'y' })])).toThrow(/does not fit/);
  expect(performance.now() - startMs).toBeLessThan(5000);
});
