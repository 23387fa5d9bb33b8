import { shuttingDown } from '../domain/execution/execution-errors.ts';
import type { LiveCalls } from './live-calls.ts';
import { waitWithin } from './wait-within.ts';

/** Time for calls that were stopped to be recorded: as long as that is tried while the database is away, and a bit. */
const recordMs = 10_000;

/** Takes no further calls, lets those that go on end by themselves for `drainMs`, then stops them: they are UNKNOWN. */
export async function drainCalls(live: LiveCalls, drainMs: number): Promise<void> {
  live.close();
  if (!(await waitWithin(drainMs, live.idle()))) {
    live.stopAll(shuttingDown());
    await waitWithin(recordMs, live.idle());
  }
}
