import { afterAll, beforeAll, test } from 'vitest';
import { checkSequences, sequencesTimeoutMs } from './check-sequences.ts';
import { KilledHost } from './stack-host.ts';
import { World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await World.start((options) => KilledHost.start(options));
});
afterAll(() => world[Symbol.asyncDispose]());

test(
  'runs go on or end as the protocol says when the process is killed',
  async () => {
    await checkSequences(world, { isKill: true, maxCommands: 15, numRuns: 10, maxMs: 12_000 });
  },
  sequencesTimeoutMs,
);
