import type { IdGenerator } from '@spanwise/kernel';

/** Ids that count up, in the forms of real ones: the same test makes the same ids. */
export function fakeIds(): IdGenerator {
  let made = 0;
  const next = (digits: number) => (++made).toString(16).padStart(digits, '0');
  return {
    uuid: () => `00000000-0000-7000-8000-${next(12)}`,
    spanId: () => next(16),
    traceId: () => next(32),
  };
}
