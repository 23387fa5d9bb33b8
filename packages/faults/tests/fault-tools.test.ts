import { expect, test } from 'vitest';
import { faultTools, type Tool } from '../src/cluster/fault-tools.ts';

type Context = Parameters<Tool['execute']>[1];

/** Executes a tool of 300 ms that is told to stop at once; what it did, and how long it took. */
async function stopped(name: string) {
  const phases: string[] = [];
  const tool = faultTools({ write: (_kind, _key, phase) => void phases.push(phase) }).find(
    (each) => each.name === name,
  );
  const stop = new AbortController();
  const startedMs = performance.now();
  const context = { signal: stop.signal, idempotencyKey: 'run:call' } as Context;
  const done = tool?.execute({ ms: 300 }, context).then(
    () => 'done',
    () => 'stopped',
  );
  stop.abort();
  return { end: await done, phases, tookMs: performance.now() - startedMs };
}

test.each(['effect', 'slow'])('%s ends as soon as it is told to stop', async (name) => {
  const { tookMs, ...rest } = await stopped(name);
  expect(rest).toEqual({ end: 'stopped', phases: ['begin'] });
  expect(tookMs).toBeLessThan(90);
});

test('stubborn does not listen', async () => {
  const { end, phases } = await stopped('stubborn');
  expect([end, phases[0], phases.at(-1), phases.includes('tick')]).toEqual(['done', 'begin', 'end', true]);
});
