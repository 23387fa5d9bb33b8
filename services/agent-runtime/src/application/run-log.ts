import { type Clock, type ExecSpan, type IdGenerator, loggedSpans, type SpanEvent, type Spans } from '@spanwise/kernel';
import type { Message } from '../domain/message/message.ts';
import {
  type EventTime,
  eventTime,
  type RunEvent,
  type RunEventData,
  spanKind,
  spanStatus,
} from '../domain/run/run-event.ts';
import type { CheckpointAck, RunJournal } from '../domain/run/run-journal.ts';
import type { RunSpec } from '../domain/run/run-spec.ts';

/** `service.name` of the spans that a run opens. */
const service = 'agent-runtime';

export interface RunLogDeps {
  readonly journal: RunJournal;
  readonly clock: Clock;
  readonly ids: Pick<IdGenerator, 'spanId'>;
}

/** What the next checkpoint takes along. */
interface Waiting {
  ends: RunEvent[];
  spec: RunSpec | undefined;
}

/**
 * What one dialogue of a run says, in one order with the others and with the time. What ends something (a block, a span, a message) waits for what is said
 * next: when that is a checkpoint it takes the ends along, and the driver commits all of it at once.
 */
export class RunLog {
  /** Spans whose events are said here. */
  readonly spans: Spans;
  readonly #deps: RunLogDeps;
  readonly #waiting: Waiting;
  readonly #threadId: string;

  constructor(deps: RunLogDeps, waiting: Waiting = { ends: [], spec: undefined }, threadId = '') {
    const { clock, ids } = deps;
    this.#deps = deps;
    this.#waiting = waiting;
    this.#threadId = threadId;
    this.spans = loggedSpans({ ids, clock, emit: (event) => this.#saySpan(event) });
  }

  /** What the agent of a delegate call says, in one order with all the rest. */
  thread(threadId: string): RunLog {
    return new RunLog(this.#deps, this.#waiting, threadId);
  }

  /** Undefined while the journal takes more at once. */
  room(): Promise<void> | undefined {
    return this.#deps.journal.room();
  }

  say(span: ExecSpan, data: RunEventData): void {
    this.forward({ span, time: this.#now(), data });
  }

  /** Says a delta: thousands a second, so it carries no time. */
  delta(span: ExecSpan, data: RunEventData): void {
    this.forward({ span, data });
  }

  /** Says what someone else made. */
  forward(event: RunEvent): void {
    if (this.#waiting.ends.length > 0) {
      this.flush();
    }
    this.#deps.journal.emit(this.#own(event));
  }

  /** Says that something is over, together with what follows. */
  end(span: ExecSpan, data: RunEventData): void {
    this.#waiting.ends.push(this.#own({ span, time: this.#now(), data }));
  }

  /** Has the next checkpoint take along what the run works with. */
  keep(spec: RunSpec): void {
    this.#waiting.spec = spec;
  }

  /** Sends messages for the context of this dialogue, with all ends that wait. */
  checkpoint(messages: readonly Message[]): Promise<CheckpointAck> {
    const { ends: events, spec } = this.#waiting;
    this.#waiting.ends = [];
    this.#waiting.spec = undefined;
    const thread = this.#threadId === '' ? {} : { threadId: this.#threadId };
    return this.#deps.journal.checkpoint({ events, messages, ...thread, ...(spec === undefined ? {} : { spec }) });
  }

  /** Says the ends that wait. */
  flush(): void {
    for (const event of this.#waiting.ends) {
      this.#deps.journal.emit(event);
    }
    this.#waiting.ends = [];
  }

  #now(): EventTime {
    return eventTime(this.#deps.clock.nowMs());
  }

  #own(event: RunEvent): RunEvent {
    return this.#threadId === '' ? event : { ...event, threadId: this.#threadId };
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
      this.#waiting.ends.push(this.#own({ span, time, data: { case: 'spanEnd', value } }));
    }
  }
}
