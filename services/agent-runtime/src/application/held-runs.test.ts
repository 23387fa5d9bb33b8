import { describe, expect, it } from 'vitest';
import { VirtualTime } from '../../tests/doubles/virtual-time.ts';
import { HeldRuns } from './held-runs.ts';
import { Leave } from './leave.ts';

const heldRun = (time = new VirtualTime()) => ({ stop: new AbortController(), leave: new Leave(time) });

describe('the runs that a process holds', () => {
  it('are aborted by a cancel, which says whether there were any', () => {
    const runs = new HeldRuns();
    const run = heldRun();
    const held = runs.hold('a', run);
    expect(runs.cancel('b')).toBe(false);
    expect(run.stop.signal.aborted).toBe(false);
    expect(runs.cancel('a')).toBe(true);
    expect(run.stop.signal.reason).toMatchObject({ kind: 'cancelled' });
    held[Symbol.dispose]();
    expect(runs.cancel('a')).toBe(false);
  });

  it('may be held twice, by an old and a new driver', () => {
    const runs = new HeldRuns();
    const [before, after] = [heldRun(), heldRun()];
    const old = runs.hold('a', before);
    runs.hold('a', after);
    old[Symbol.dispose]();
    expect(runs.cancel('a')).toBe(true);
    expect([before, after].map(({ stop }) => stop.signal.aborted)).toEqual([false, true]);
  });

  it('are no more once they are closed', () => {
    const runs = new HeldRuns();
    runs.hold('a', heldRun());
    runs.close();
    expect(() => runs.hold('b', heldRun())).toThrow(expect.objectContaining({ reason: 'SHUTTING_DOWN' }));
    expect(runs.cancel('a')).toBe(true);
  });

  it('are all asked to leave, and waited for', async () => {
    const time = new VirtualTime();
    const runs = new HeldRuns();
    const [one, two] = [heldRun(time), heldRun(time)];
    const [first, second] = [runs.hold('a', one), runs.hold('b', two)];
    let isIdle = false;
    const left = runs.leave(1000).then(() => {
      isIdle = true;
    });
    expect([one, two].map(({ leave }) => [leave.isAsked, leave.due.aborted])).toEqual([
      [true, false],
      [true, false],
    ]);
    await time.advance(1000);
    expect([one, two].map(({ leave }) => leave.due.aborted)).toEqual([true, true]);
    first[Symbol.dispose]();
    await time.advance(0);
    expect(isIdle).toBe(false);
    second[Symbol.dispose]();
    await left;
  });

  it('need not be waited for when there are none', async () => {
    await new HeldRuns().leave(1000);
  });
});
