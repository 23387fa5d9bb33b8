import { type Clock, DomainError } from '@spanwise/kernel';
import type { ExecutionKey, ExecutionStart, StartVerdict } from '../domain/execution/execution.ts';
import type { Ledger } from '../domain/execution/ledger.ts';
import type { CallRecords } from './call-records.ts';
import type { LiveCalls } from './live-calls.ts';
import { throughOutage } from './through-outage.ts';
import { waitWithin } from './wait-within.ts';

export interface EnterLedgerDeps {
  readonly ledger: Ledger;
  readonly records: CallRecords;
  readonly live: LiveCalls;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** What the ledger says in the end: nobody else executes the call. */
export type Entry = Exclude<StartVerdict, { readonly type: 'running' }>;

/** How often an execution elsewhere is looked at. */
export const pollMs = 100;
/** How long a beginning is tried again while the database is away. */
const outageMs = 1_000;

/**
 * Begins an execution in the ledger, or waits for the one that goes on. Throws what {@link Ledger.begin} does and the
 * reason of `signal`; then nothing was begun, whatever became of the commit.
 */
export async function enterLedger(deps: EnterLedgerDeps, start: ExecutionStart, signal: AbortSignal): Promise<Entry> {
  for (;;) {
    const verdict = await begin(deps, start);
    if (verdict.type !== 'running') {
      return verdict;
    }
    await whileRunning(deps, start, signal);
  }
}

async function begin({ ledger, records, clock }: EnterLedgerDeps, start: ExecutionStart): Promise<StartVerdict> {
  try {
    return await throughOutage(clock, outageMs, () => ledger.begin(start));
  } catch (error) {
    if (error instanceof DomainError && error.kind === 'unavailable') {
      // It may have been committed: left as it is, its row would be waited for. The caller is not kept waiting for it.
      void records.withdraw(start);
    }
    throw error;
  }
}

async function whileRunning({ ledger, live }: EnterLedgerDeps, key: ExecutionKey, signal: AbortSignal): Promise<void> {
  for (;;) {
    await waitForChange(live, key, pollMs, signal);
    const found = await ledger.find(key);
    if (found === undefined || found.state !== 'STARTED' || !found.isAlive) {
      return;
    }
  }
}

/** Waits until it is worth to look at an execution again: at once when it ends in this process, else after `limitMs`. */
export async function waitForChange(
  live: LiveCalls,
  key: ExecutionKey,
  limitMs: number,
  signal: AbortSignal,
): Promise<void> {
  const isHere = live.isExecuting(key);
  await waitWithin(limitMs, isHere ? live.ended(key) : new Promise(() => undefined), signal);
}
