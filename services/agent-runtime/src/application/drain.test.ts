import { describe, expect, it } from 'vitest';
import { VirtualTime } from '../../tests/doubles/virtual-time.ts';
import { Drain } from './drain.ts';
import { HeldRuns } from './held-runs.ts';
import { Leave } from './leave.ts';
import { LeftExecutions } from './left-executions.ts';

function drainOf() {
  const time = new VirtualTime();
  const [heldRuns, leftExecutions] = [new HeldRuns(), new LeftExecutions()];
  const run = { stop: new AbortController(), leave: new Leave(time) };
  const held = heldRuns.hold('a', run);
  let isDrained = false;
  const start = () =>
    new Drain({ heldRuns, leftExecutions, timers: time, graceMs: 10_000 }).execute().then(() => {
      isDrained = true;
    });
  return { time, heldRuns, leftExecutions, run, held, start, isDrained: () => isDrained };
}

describe('a drain', () => {
  it('takes no more runs, and waits for those that are held and for the tool calls that they leave', async () => {
    const { time, heldRuns, leftExecutions, run, held, start, isDrained } = drainOf();
    const draining = start();
    expect(() => heldRuns.hold('b', run)).toThrow(expect.objectContaining({ reason: 'SHUTTING_DOWN' }));
    await time.advance(10_000);
    expect(run.leave.due.aborted).toBe(true);
    const execution = Promise.withResolvers<void>();
    leftExecutions.add(execution.promise);
    held[Symbol.dispose]();
    await time.advance(1_000);
    expect(isDrained()).toBe(false);
    execution.reject(new RangeError('lost'));
    await draining;
    expect(time.pending).toBe(0);
  });

  it('gives up on a driver that does not take the last frame, and on tools that do not end', async () => {
    const { time, leftExecutions, start, isDrained } = drainOf();
    leftExecutions.add(new Promise(() => undefined));
    const draining = start();
    await time.advance(74_999);
    expect(isDrained()).toBe(false);
    await time.advance(1);
    await draining;
  });

  it('also waits for what is left meanwhile', async () => {
    const executions = new LeftExecutions();
    const [one, two] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    executions.add(one.promise);
    const over = executions.over();
    executions.add(two.promise);
    one.resolve();
    two.resolve();
    await over;
  });
});
