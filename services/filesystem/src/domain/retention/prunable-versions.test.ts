import { expect, test } from 'vitest';
import { type KeptVersion, prunableVersions, type VersionRules } from './prunable-versions.ts';

const rules: VersionRules = { keep: 2, agedMs: 0, settledMs: 1000, pins: [] };

/** The version that the change `head` wrote and the next one replaced. */
function version(head: number, facts: Partial<KeptVersion> = {}): KeptVersion {
  return { key: 'a', isFile: true, head, toHead: head + 1, supersededMs: head + 1, ...facts };
}

function headsOf(versions: readonly KeptVersion[], changed: Partial<VersionRules> = {}): number[] {
  return prunableVersions(versions, { ...rules, ...changed }).map(({ head }) => head);
}

test('keeps the newest versions of each path', () => {
  const versions = [1, 2, 3, 4].flatMap((head) => [version(head), version(head + 10, { key: 'b' })]);
  expect(headsOf(versions)).toEqual([12, 11, 2, 1]);
  expect(headsOf(versions, { keep: 0 })).toEqual([14, 13, 12, 11, 4, 3, 2, 1]);
  expect(headsOf(versions, { keep: 4 })).toEqual([]);
});

test('lets those go that were replaced too long ago', () => {
  expect(headsOf([version(1), version(2)], { agedMs: 2 })).toEqual([1]);
});

test('keeps what was replaced just now', () => {
  expect(headsOf([version(1), version(2), version(3)], { keep: 0, settledMs: 3 })).toEqual([2, 1]);
});

test('keeps no directories and marks for a list, and does not count them', () => {
  const directory = version(2, { isFile: false });
  expect(headsOf([version(1), directory, version(3)])).toEqual([2]);
});

test('keeps what the disk had after the change of a pin, and nothing before and after', () => {
  const versions = [version(3, { toHead: 5 }), version(5, { toHead: 8 }), version(8, { toHead: 9 })];
  const kept = (...pins: number[]) => {
    const gone = headsOf(versions, { keep: 0, pins });
    return [3, 5, 8].filter((head) => !gone.includes(head));
  };
  expect([2, 3, 4, 5, 7, 8, 9].map((pin) => kept(pin))).toEqual([[], [3], [3], [5], [5], [8], []]);
  expect(kept(1, 4, 8, 20)).toEqual([3, 8]);
});
