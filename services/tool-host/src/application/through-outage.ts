import { type Clock, DomainError } from '@spanwise/kernel';

/** How often work is tried again while the database is away. */
const retryDelayMs = 200;

/**
 * Does what may be done twice, again and again for `outageMs` while the database is away: each attempt has to find out by
 * itself whether the one before was committed. Throws what the last attempt threw, and at once whatever is no outage.
 */
export async function throughOutage<Result>(
  clock: Pick<Clock, 'monotonicMs'>,
  outageMs: number,
  attempt: () => Promise<Result>,
): Promise<Result> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const isOutage = error instanceof DomainError && error.kind === 'unavailable';
      if (!isOutage || clock.monotonicMs() - startedMs > outageMs) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs));
    }
  }
}
