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
  readonly #calls = new Map<string, StopOutcome>();
  /** Whether the executor said that it has stopped, and the fences that nothing else goes on. */
  isConfirmed = false;

  /** `live` are the spans that are open; the root stands for the run and is no line. */
  constructor(live: readonly OpenSpanRecord[]) {
    this.#live = live.filter(({ span }) => span.par !== '');
  }

  noteClosed({ span, end }: ClosedSpan): void {
    this.#closed.set(span.id, end.status);
  }

  /** A call that the fence of tool-host met. */
  noteCall({ callId, outcome }: StoppedCall): void {
    this.#calls.set(callId, outcome);
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
    const call = this.#calls.get(attributes[callIdAttribute] ?? '');
    if (call !== undefined && call !== 'stopped') {
      return call;
    }
    const status = this.#closed.get(span.id);
    if (status === spanStatus.ok || status === spanStatus.error) {
      return 'finished';
    }
    return call !== undefined || this.isConfirmed ? 'stopped' : 'unstoppable';
  }
}
