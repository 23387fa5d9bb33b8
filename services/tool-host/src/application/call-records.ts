import type { Clock } from '@spanwise/kernel';
import type { ExecutionStart, Settlement } from '../domain/execution/execution.ts';
import type { Ledger } from '../domain/execution/ledger.ts';
import { type CallEnd, failedEnd } from '../domain/tool/tool-call.ts';
import { throughOutage } from './through-outage.ts';

export interface CallRecordsDeps {
  readonly ledger: Ledger;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /**
   * How long the end of a call is tried to be recorded while the database is away: by then the lease of this process is
   * given up as well.
   */
  readonly outageMs: number;
  /** Told when something could not be written; for the log. */
  readonly onFailure: (start: ExecutionStart, error: unknown) => void;
}

/** Writes down what became of attempts. What can not be written is kept, and tried again by `flush`. */
export class CallRecords {
  readonly #deps: CallRecordsDeps;
  readonly #pending = new Map<ExecutionStart, () => Promise<unknown>>();
  #isFlushing = false;

  constructor(deps: CallRecordsDeps) {
    this.#deps = deps;
  }

  /** Whether it is in the ledger: only then may it be told. Else the execution will be UNKNOWN. Never throws. */
  async settle(start: ExecutionStart, settlement: Settlement): Promise<boolean> {
    const { ledger, clock, outageMs } = this.#deps;
    try {
      return await throughOutage(clock, outageMs, () => ledger.settle(start, settlement));
    } catch (error) {
      const end = unknownEnd(start);
      this.#keep(start, () => ledger.settle(start, { state: 'UNKNOWN', end }), error);
      return false;
    }
  }

  /** Takes an attempt back whose tool was not called. Never throws. */
  async withdraw(start: ExecutionStart): Promise<void> {
    const withdraw = () => this.#deps.ledger.withdraw(start);
    await withdraw().catch((error: unknown) => this.#keep(start, withdraw, error));
  }

  /** Tries again what could not be written, unless that is going on already. Never throws. */
  async flush(): Promise<void> {
    if (this.#isFlushing) {
      return;
    }
    this.#isFlushing = true;
    for (const [start, write] of this.#pending) {
      try {
        await write();
        this.#pending.delete(start);
      } catch (error) {
        this.#deps.onFailure(start, error);
        break;
      }
    }
    this.#isFlushing = false;
  }

  #keep(start: ExecutionStart, write: () => Promise<unknown>, error: unknown): void {
    this.#pending.set(start, write);
    this.#deps.onFailure(start, error);
  }
}

/** What the model is told of a call that may have been executed, or not. */
export function unknownEnd({ callId }: Pick<ExecutionStart, 'callId'>): CallEnd {
  const text = `It is not known whether this call was executed: the process that executed it was lost. It may have had \
effects. Look before you repeat it.`;
  return failedEnd(callId, 'unknown', text, 'SERVICE_UNAVAILABLE');
}

/** How a call ended that was stopped midway; nobody is told by ExecuteTool, whose caller is gone or refused. */
export function stoppedEnd({ callId }: Pick<ExecutionStart, 'callId'>): CallEnd {
  const text = 'The call was stopped. What it did until then stays done.';
  return failedEnd(callId, 'cancelled', text, 'REQUEST_CANCELLED');
}
