import { setTimeout as delay } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { role } from '../../src/domain/event/agent-event.ts';
import type { RunOptions } from '../../src/domain/run/run.ts';
import { assistantMessage, callEnd, callStart, contextRow, result } from './said.ts';
import { rowsOf, settled, startedRun, type World } from './world.ts';

export type Started = Awaited<ReturnType<typeof startedRun>>;

/** A run as it is stored. */
export const runOf = (world: World, { sessionId, run }: Started) => world.runs.find(sessionId, run.id);

/** What a session's log has after the begin of its first run. */
export const said = (world: World, { sessionId }: Started) =>
  rowsOf(world, sessionId)
    .slice(3)
    .map(({ data }) => data);

/** Lets time pass until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let n = 0; n < 400 && !isSo(); n += 1) {
    await settled();
    // What runs on other threads (digests) takes real time, which is not faked here.
    await delay(1);
    vi.advanceTimersByTime(50);
  }
  expect(isSo()).toBe(true);
  await settled();
}

/** Waits for a dispatch. */
export async function redispatched(world: World, count = 2): Promise<void> {
  await until(() => world.runtime.executions.length === count);
}

/** A run whose message with two calls is committed, one of them answered. */
export async function withCalls(world: World, options: Partial<RunOptions> = {}): Promise<Started> {
  const started = await startedRun(world, options);
  const { executor, run } = started;
  executor.say(...['c1', 'c2'].flatMap((id) => [callStart(id, 'm'), callEnd(id)]));
  const spec = new Uint8Array([1, 2, 3]);
  executor.checkpoint([assistantMessage('m')], [contextRow('m', run.id, role.assistant)], spec);
  executor.say(result('c2', 'two'));
  await settled();
  vi.advanceTimersByTime(20);
  await settled();
  return started;
}
