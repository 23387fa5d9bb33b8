import { type Clock, type ExecSpan, type IdGenerator, loggedSpans, type SpanEvent, type Spans } from '@spanwise/kernel';
import type { Message } from '../domain/message/message.ts';
import { eventTime, type RunEvent, type RunEventData, spanKind, spanStatus } from '../domain/run/run-event.ts';
import type { CheckpointAck, RunJournal } from '../domain/run/run-journal.ts';
import type { RunSpec } from '../domain/run/run-spec.ts';

/** `service.name` of the spans that a run opens. */
const service = 'agent-runtime';

export interface RunLogDeps {
  readonly journal: RunJournal;
  readonly clock: Clock;
  readonly ids: Pick<IdGenerator, 'spanId'>;
}

/**
 * What one run says, in order and with the time. What ends something (a block, a span, a message) waits for what is said
 * next: when that is a checkpoint it takes the ends along, and the driver commits all of it at once.
 */
export class RunLog {
  /** Spans whose events are said here. */
  readonly spans: Spans;
  readonly #journal: RunJournal;
  readonly #clock: Clock;
  #ends: RunEvent[] = [];
  #spec: RunSpec | undefined;

  constructor({ journal, clock, ids }: RunLogDeps) {
    this.#journal = journal;
    this.#clock = clock;
    this.spans = loggedSpans({ ids, clock, emit: (event) => this.#saySpan(event) });
  }

  /** Undefined while the journal takes more at once. */
  room(): Promise<void> | undefined {
    return this.#journal.room();
  }

  say(span: ExecSpan, data: RunEventData): void {
    this.forward({ span, time: eventTime(this.#clock.nowMs()), data });
  }

  /** Says a delta: thousands a second, so it carries no time. */
  delta(span: ExecSpan, data: RunEventData): void {
    this.forward({ span, data });
  }

  /** Says what someone else made. */
  forward(event: RunEvent): void {
    if (this.#ends.length > 0) {
      this.flush();
    }
    this.#journal.emit(event);
  }

  /** Says that something is over, together with what follows. */
  end(span: ExecSpan, data: RunEventData): void {
    this.#ends.push({ span, time: eventTime(this.#clock.nowMs()), data });
  }

  /** Has the next checkpoint take along what the run works with. */
  keep(spec: RunSpec): void {
    this.#spec = spec;
  }

  /** Sends messages for the context, with all ends that wait. */
  checkpoint(messages: readonly Message[]): Promise<CheckpointAck> {
    const [events, spec] = [this.#ends, this.#spec];
    this.#ends = [];
    this.#spec = undefined;
    return this.#journal.checkpoint({ events, messages, ...(spec === undefined ? {} : { spec }) });
  }

  /** Says the ends that wait. */
  flush(): void {
    for (const event of this.#ends) {
      this.#journal.emit(event);
    }
    this.#ends = [];
  }

  #saySpan(event: SpanEvent): void {
    const { span, attributes } = event;
    const time = eventTime(event.timeMs);
    if (event.type === 'span-start') {
      const { name, traceId } = event;
      const value = { kind: spanKind[event.kind], name, traceId, attributes, service };
      this.forward({ span, time, data: { case: 'spanStart', value } });
    } else {
      const value = { status: spanStatus[event.status], errorType: event.errorType, attributes };
      this.#ends.push({ span, time, data: { case: 'spanEnd', value } });
    }
  }
}
