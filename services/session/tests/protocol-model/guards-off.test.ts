import { expect, test } from 'vitest';
import { explained } from './checker.ts';
import { configurations } from './configurations.ts';
import { guardNames, guardsWithout } from './protocol.ts';

const mutants = Object.entries(configurations).flatMap(([name, { search, mutants }]) =>
  mutants.map(([off, breaks]) => ({ name, search, guards: [off].flat(), off: [off].flat().join(' and '), breaks })),
);

test('every guard is taken away somewhere', () => {
  const alone = mutants.filter(({ guards }) => guards.length === 1).flatMap(({ guards }) => guards);
  expect([...new Set(alone)].toSorted()).toEqual(guardNames.toSorted());
});

test.for(mutants)('breaks without $off ($name)', ({ search, guards, breaks }) => {
  // One fault needs far fewer states and tells a plainer story.
  const left = guardsWithout(...guards);
  const violation = search(left, 1).violation ?? search(left, 2).violation;
  expect(explained(violation)).toContain(`${breaks} after:\n1. `);
});
