import { spanStatus } from '../domain/event/agent-event.ts';
import type { ClosedSpan, OpenSpanRecord } from '../domain/run/open-work.ts';
import type { StopOutcome, StoppedSpan } from '../domain/run/run.ts';
import type { StoppedCall } from './ports/fences.ts';

/** Attribute of a tool's span that names its call. */
const callIdAttribute = 'gen_ai.tool.call.id';

/** What was going on when a run was to be cancelled, and what is known of how it ended. */
export class StopReceipt {
  readonly #live: readonly OpenSpanRecord[];
  readonly #closed = new Map<string, number>();
  #calls: readonly StoppedCall[] | undefined;
  /** Whether the executor said that it has stopped: then all that it did itself has. */
  isConfirmed = false;

  /** `live` are the spans that are open; the root stands for the run and is no line. */
  constructor(live: readonly OpenSpanRecord[]) {
    this.#live = live.filter(({ span }) => span.par !== '');
  }

  noteClosed({ span, end }: ClosedSpan): void {
    this.#closed.set(span.id, end.status);
  }

  /** What the fence met; undefined when nobody could confirm that tools stopped. */
  noteCalls(calls: readonly StoppedCall[] | undefined): void {
    this.#calls = calls;
  }

  lines(): readonly StoppedSpan[] {
    return this.#live.map((open) => ({
      id: open.span.id,
      par: open.span.par,
      kind: open.kind,
      name: open.name,
      outcome: this.#outcomeOf(open),
    }));
  }

  #outcomeOf({ span, attributes }: OpenSpanRecord): StopOutcome {
    const call = this.#calls?.find(({ callId }) => callId === attributes[callIdAttribute]);
    if (call !== undefined && call.outcome !== 'stopped') {
      return call.outcome;
    }
    const status = this.#closed.get(span.id);
    if (status === spanStatus.ok || status === spanStatus.error) {
      return 'finished';
    }
    const isStopped = call !== undefined || (this.isConfirmed && this.#calls !== undefined);
    return isStopped ? 'stopped' : 'unstoppable';
  }
}
