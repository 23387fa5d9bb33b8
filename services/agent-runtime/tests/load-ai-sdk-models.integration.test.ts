import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAiSdkModels } from '../src/infrastructure/model-providers/ai-sdk/load-ai-sdk-models.ts';

describe('a module of models', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spanwise-ai-sdk-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const load = async (name: string, source: string) => {
    await writeFile(join(folder, name), source);
    return loadAiSdkModels({ module: `./${name}`, folder });
  };

  it('gives its models by their names', async () => {
    const model = "{ specificationVersion: 'v4', provider: 'p', modelId: 'm-1', doStream() {} }";
    const models = await load('good.mjs', `export const models = { small: ${model}, 'big one': ${model} };`);
    expect([...models].map(([name, { modelId }]) => [name, modelId])).toEqual([
      ['small', 'm-1'],
      ['big one', 'm-1'],
    ]);
  });

  it('is what the README shows, with the package of a provider beside it', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const [, source = ''] = /```js\n(.*?)```/s.exec(readme) ?? [];
    await symlink(fileURLToPath(new URL('../node_modules', import.meta.url)), join(folder, 'node_modules'));
    const models = await load('readme.mjs', source);
    expect([...models].map(([name, { modelId }]) => [name, modelId])).toEqual([['small', 'small-1']]);
  });

  it.each([
    ['none.mjs', 'export const other = 1;', 'exports no object `models`'],
    ['empty.mjs', 'export const models = {};', 'exports no object `models`'],
    ['list.mjs', 'export const models = [1];', 'exports no object `models`'],
    ['null.mjs', 'export const models = { a: null };', 'it is null'],
    ['old.mjs', "export const models = { a: { specificationVersion: 'v2' } };", 'is "v2" and not "v4"'],
    ['unversioned.mjs', 'export const models = { a: {} };', 'is missing and not "v4"'],
    ['partial.mjs', "export const models = { a: { specificationVersion: 'v4' } };", 'lacks modelId or doStream'],
    ['throws.mjs', "throw new Error('No key.');", 'can not be loaded: No key.'],
    ['imports.mjs', "import 'no-such-package';", "Cannot find package 'no-such-package'"],
  ])('is refused with what is wrong: %s', async (name, source, problem) => {
    await expect(load(name, source)).rejects.toMatchObject({
      reason: 'INVALID_FIELD',
      facts: { variable: 'SPANWISE_AI_SDK_MODELS' },
      message: expect.stringContaining(problem),
    });
  });

  it('is refused when it is not there', async () => {
    await expect(loadAiSdkModels({ module: './nowhere.mjs', folder })).rejects.toMatchObject({
      message: 'SPANWISE_AI_SDK_MODELS can not be used: ./nowhere.mjs is not there.',
    });
  });
});
