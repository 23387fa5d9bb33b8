import { describe, expect, test } from 'vitest';
import { seededRandom } from './random.ts';

describe('seeded randomness', () => {
  test('repeats itself for the same seed and differs for another one', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed);
      return Array.from({ length: 5 }, () => random.between(0, 1000));
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  test('has forks that do not depend on what was drawn before', () => {
    const random = seededRandom(7);
    const before = random.fork('kills').next();
    random.next();
    expect(random.fork('kills').next()).toBe(before);
    expect(random.fork('cuts').next()).not.toBe(before);
  });

  test('stays within its bounds and reaches both', () => {
    const random = seededRandom(3);
    const drawn = new Set(Array.from({ length: 200 }, () => random.between(1, 3)));
    expect([...drawn].sort((a, b) => a - b)).toEqual([1, 2, 3]);
  });
});
