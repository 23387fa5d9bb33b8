import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { sandboxAttacks } from './sandbox-attacks.ts';

test('names every attack and what becomes of it at each level in docs/sandbox.md', async () => {
  const text = await readFile(new URL('../../../docs/sandbox.md', import.meta.url), 'utf8');
  const [, section = ''] = text.split('\n## Attacks\n');
  const [table = ''] = /^\| attack [^]*?\n\n/m.exec(section) ?? [];
  const rows = table
    .trim()
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
  expect(rows).toEqual(sandboxAttacks.map(({ name, expect: result }) => [name, result, result]));
});
