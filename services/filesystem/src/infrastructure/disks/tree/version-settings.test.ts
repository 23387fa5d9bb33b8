import { expect, test } from 'vitest';
import { versionSettings } from './version-settings.ts';

test.each([
  [undefined, { keep: 20, days: 30 }],
  [{}, { keep: 20, days: 30 }],
  [{ keep: 0 }, { keep: 0, days: 30 }],
  [
    { keep: 5, days: 1 },
    { keep: 5, days: 1 },
  ],
])('reads %j', (settings, limits) => {
  expect(versionSettings.parse(settings)).toEqual(limits);
});

test.each([{ keep: -1 }, { keep: 21 }, { days: 0 }, { days: 31 }, { keep: 1.5 }, { weeks: 1 }])(
  'refuses %j',
  (settings) => {
    expect(versionSettings.safeParse(settings).success).toBe(false);
  },
);
