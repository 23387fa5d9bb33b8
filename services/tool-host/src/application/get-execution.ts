import type { Clock, SessionId } from '@spanwise/kernel';
import type { Execution, ExecutionKey } from '../domain/execution/execution.ts';
import type { Ledger } from '../domain/execution/ledger.ts';
import { pollMs, waitForChange } from './enter-ledger.ts';
import type { LiveCalls } from './live-calls.ts';

export interface GetExecutionDeps {
  readonly ledger: Ledger;
  readonly live: LiveCalls;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Which execution, and who asks. */
export interface ExecutionQuery extends ExecutionKey {
  readonly sessionId: SessionId;
  readonly epoch: number;
  /** How long to wait while it goes on. */
  readonly waitMs: number;
}

/** Tells what became of a call, and waits for it. An execution whose instance died becomes UNKNOWN for good. */
export class GetExecution {
  readonly #deps: GetExecutionDeps;

  constructor(deps: GetExecutionDeps) {
    this.#deps = deps;
  }

  /** Undefined when the ledger does not have it. Throws FENCED, DATABASE_UNAVAILABLE and the reason of `signal`. */
  async execute(query: ExecutionQuery, signal: AbortSignal): Promise<Execution | undefined> {
    const { ledger, live, clock } = this.#deps;
    const { sessionId, epoch, waitMs } = query;
    const untilMs = clock.monotonicMs() + waitMs;
    for (;;) {
      await ledger.assertOpen(sessionId, epoch);
      const found = await ledger.find(query);
      if (found?.sessionId !== sessionId) {
        return undefined;
      }
      if (found.state !== 'STARTED') {
        return found;
      }
      const leftMs = untilMs - clock.monotonicMs();
      if (!found.isAlive) {
        await ledger.lose(found);
      } else if (leftMs <= 0) {
        return found;
      } else {
        await waitForChange(live, query, Math.min(pollMs, leftMs), signal);
      }
    }
  }
}
