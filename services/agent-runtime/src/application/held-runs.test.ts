import { describe, expect, it } from 'vitest';
import { HeldRuns } from './held-runs.ts';

describe('the runs that a process holds', () => {
  it('are aborted by a cancel, which says whether there were any', () => {
    const runs = new HeldRuns();
    const stop = new AbortController();
    const held = runs.hold('a', stop);
    expect(runs.cancel('b')).toBe(false);
    expect(stop.signal.aborted).toBe(false);
    expect(runs.cancel('a')).toBe(true);
    expect(stop.signal.reason).toMatchObject({ kind: 'cancelled' });
    held[Symbol.dispose]();
    expect(runs.cancel('a')).toBe(false);
  });

  it('may be held twice, by an old and a new driver', () => {
    const runs = new HeldRuns();
    const [before, after] = [new AbortController(), new AbortController()];
    const old = runs.hold('a', before);
    runs.hold('a', after);
    old[Symbol.dispose]();
    expect(runs.cancel('a')).toBe(true);
    expect([before.signal.aborted, after.signal.aborted]).toEqual([false, true]);
  });
});
