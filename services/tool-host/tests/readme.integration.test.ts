import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const folder = new URL('../', import.meta.url);

test('shows code in the README that is in the sources word for word', async () => {
  const readme = await readFile(new URL('README.md', folder), 'utf8');
  const files = ['ls.ts', 'built-in-tools.ts'].map((name) => new URL(`src/infrastructure/tools/${name}`, folder));
  const sources = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const snippets = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code.trimEnd());
  expect(snippets).toHaveLength(sources.length);
  snippets.forEach((snippet, index) => expect(sources[index]).toContain(snippet));
});
