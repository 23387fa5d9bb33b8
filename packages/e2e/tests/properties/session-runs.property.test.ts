import { afterAll, beforeAll, test } from 'vitest';
import { checkSequences, sequencesTimeoutMs } from './check-sequences.ts';
import { EmbeddedHost } from './stack-host.ts';
import { World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await World.start((options) => EmbeddedHost.start(options));
});
afterAll(() => world[Symbol.asyncDispose]());

test(
  'sessions and runs are what the reference says, over restarts, to every caller and watcher',
  async () => {
    await checkSequences(world, { isKill: false, maxCommands: 30, numRuns: 30, maxMs: 30_000 });
  },
  sequencesTimeoutMs,
);
