import type { ExecSpan } from '@spanwise/kernel';
import { type RunEvent, spanStatus } from '../domain/run/run-event.ts';
import type { RunLog } from './run-log.ts';

/** Passes on what tool-host says of one call, and ends the spans that tool-host can no longer end itself. */
export class ToolEvents {
  readonly #log: RunLog;
  readonly #open = new Map<string, ExecSpan>();
  #isClosed = false;

  constructor(log: RunLog) {
    this.#log = log;
  }

  accept(event: RunEvent): void {
    // What arrives after the call was closed would be said in a turn that is over.
    if (this.#isClosed) {
      return;
    }
    if (event.data.case === 'spanStart') {
      this.#open.set(event.span.id, event.span);
    } else if (event.data.case === 'spanEnd') {
      this.#open.delete(event.span.id);
    }
    this.#log.forward(event);
  }

  /** Takes no more and says no more: what goes on is told when it is looked for. */
  leave(): void {
    this.#isClosed = true;
    this.#open.clear();
  }

  /** Takes no more; spans that are still open end with `status`, innermost first. */
  close(status: 'cancelled' | 'abandoned'): void {
    this.#isClosed = true;
    for (const span of [...this.#open.values()].toReversed()) {
      const value = { status: spanStatus[status], errorType: '', attributes: {} };
      this.#log.say(span, { case: 'spanEnd', value });
    }
    this.#open.clear();
  }
}
