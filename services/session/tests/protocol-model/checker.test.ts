import { expect, test } from 'vitest';
import { explained, type Model, search } from './checker.ts';

/** A counter that goes up by one or two to `top`, down only by luck. */
function counter(change: Partial<Model<{ at: number }>>): Model<{ at: number }> {
  const top = 5;
  return {
    initial: { at: 0 },
    steps({ at }, take) {
      for (const by of [1, 2]) {
        take('up', by, (next) => {
          next.at += by;
          return next.at <= top;
        });
      }
      if (at > 0) {
        take('down', 1, (next) => {
          next.at -= 1;
        });
      }
    },
    broken: () => undefined,
    outside: new Set(['down']),
    isSettled: ({ at }) => at === top,
    ...change,
  };
}

test('counts states, steps and kinds of actions', () => {
  const actions = new Map([
    ['up', 9],
    ['down', 5],
  ]);
  expect(search(counter({}))).toEqual({ states: 6, steps: 14, actions, violation: undefined });
});

test('finds a broken state by a shortest way', () => {
  const { violation } = search(counter({ broken: ({ at }) => (at === 4 ? 'four' : undefined) }));
  expect(violation).toEqual({ what: 'four', trace: ['up 2', 'up 2'] });
  expect(explained(violation)).toBe('four after:\n1. up 2\n2. up 2');
});

test('finds a state that gets nowhere by itself', () => {
  const { violation } = search(counter({ isSettled: ({ at }) => at === 3 }));
  expect(violation).toEqual({ what: 'stuck: no settled state can be reached', trace: ['up 2', 'up 2'] });
});

test('takes states that are brought to one form for one', () => {
  const canonicalise = (state: { at: number }) => {
    state.at = Math.min(state.at, 2);
  };
  expect(search(counter({ canonicalise, isSettled: ({ at }) => at === 2 })).states).toBe(3);
});
