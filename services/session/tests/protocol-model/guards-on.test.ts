import { expect, test } from 'vitest';
import { explained } from './checker.ts';
import { configurations } from './configurations.ts';
import { guardsWithout } from './protocol.ts';

test.for(Object.entries(configurations))('holds with all guards on: %s', ([name, configuration]) => {
  const startedMs = performance.now();
  const { states, steps, actions, violation } = configuration.search(guardsWithout(), configuration.faults);
  const tookMs = Math.round(performance.now() - startedMs);
  console.info(`${name}: ${states} states, ${steps} steps, ${tookMs} ms`);
  expect(explained(violation)).toBe('no violation');
  expect(states).toBeGreaterThan(configuration.minStates);
  expect([...actions.keys()].toSorted()).toEqual(configuration.actions.toSorted());
});
