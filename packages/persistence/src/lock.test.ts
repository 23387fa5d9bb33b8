import { expect, test } from 'vitest';
import { Lock } from './lock.ts';

test('lets holders in one at a time, in the order in which they asked', async () => {
  const lock = new Lock();
  const story: string[] = [];
  const hold = async (name: string) => {
    await lock.acquire();
    story.push(`${name} in`);
    await Promise.resolve();
    story.push(`${name} out`);
    lock.release();
  };
  await Promise.all([hold('a'), hold('b'), hold('c')]);
  expect(story).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
});
