import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFile(new URL(path, root), 'utf8');

test('docs/own-tools.md shows the examples word for word', async () => {
  const page = await read('docs/own-tools.md');
  const shown = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
  const files = ['own-tool', 'tool-provider'].map((name) => read(`packages/examples/src/${name}.ts`));
  expect(shown).toEqual(await Promise.all(files));
});
