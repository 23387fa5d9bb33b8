import fc from 'fast-check';
import { expect, test } from 'vitest';
import { touchedPaths } from './sql-tree-history.ts';

type Row = Parameters<typeof touchedPaths>[0][number];

const rowOf = (path: string, etag: string, head: number, toHead: number): Row => ({
  ...{ path, kind: 'f', blob_hash: etag, is_opaque: 0, size: 1, modify_time_ms: 0 },
  ...{ head, to_head: toHead },
});

const write = fc.record({ path: fc.constantFrom('/a', '/b', '/c'), etag: fc.constantFrom('x', 'y', undefined) });

test('rows and versions tell what was touched between any two changes, and what was there before and after', () => {
  fc.assert(
    fc.property(fc.array(write, { maxLength: 20 }), fc.nat(20), fc.nat(20), (writes, one, other) => {
      const [from, to] = [Math.min(one, other, writes.length), Math.min(Math.max(one, other), writes.length)];
      const rows: Row[] = [];
      const states: Map<string, string>[] = [new Map()];
      for (const [index, { path, etag }] of writes.entries()) {
        const at = rows.findIndex((row) => row.path === path && row.to_head === 0);
        const old = rows[at];
        if (old !== undefined) {
          rows[at] = { ...old, to_head: index + 1 };
        }
        const state = new Map(states.at(-1));
        state.delete(path);
        if (etag !== undefined) {
          rows.push(rowOf(path, etag, index + 1, 0));
          state.set(path, etag);
        }
        states.push(state);
      }
      const expected = new Map<string, unknown>();
      for (const [index, { path, etag }] of writes.entries()) {
        const isWithin = index >= from && index < to;
        if (isWithin && (etag !== undefined || states[index]?.has(path) === true)) {
          expected.set(path, { before: states[from]?.get(path), after: states[to]?.get(path) });
        }
      }
      const asked = rows.filter(
        ({ head, to_head: toHead }) => head <= to && (toHead === 0 ? head > from : toHead > from),
      );
      const etag = (node: unknown) => (node as { etag?: string } | undefined)?.etag;
      const found = touchedPaths(asked, from, to).map(
        ({ path, before, after }) => [path, { before: etag(before), after: etag(after) }] as const,
      );
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    }),
    { numRuns: 2000 },
  );
});
