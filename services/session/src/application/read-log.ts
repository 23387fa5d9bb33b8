import type { ExecSpan, RunId, SessionId } from '@spanwise/kernel';
import type { LlmContext, StoredMessage } from '../domain/context/llm-context.ts';
import { type AgentEvent, eventTimeMs, type SpanEnd, type SpanStart, spanStatus } from '../domain/event/agent-event.ts';
import type { EventLog } from '../domain/event/event-log.ts';
import { bytesAtMost } from '../domain/event/event-size.ts';
import type { Run } from '../domain/run/run.ts';
import type { RunRepository } from '../domain/run/run-repository.ts';
import type { SessionRepository } from '../domain/session/session-repository.ts';
import { assertKept } from './assert-kept.ts';
import { type Page, type PageRequest, readPage } from './paging.ts';
import type { Caller } from './ports/caller.ts';
import type { PageTokens } from './ports/page-tokens.ts';
import { ownRun, ownSession } from './session-access.ts';

export interface ReadLogDeps {
  readonly sessions: SessionRepository;
  readonly runs: RunRepository;
  readonly log: EventLog;
  readonly context: LlmContext;
  readonly pageTokens: PageTokens;
}

/** A span of a run as the log tells it. */
export interface LoggedSpan extends SpanStart {
  readonly span: ExecSpan;
  readonly startMs: number;
  /** Undefined while it is open. */
  readonly end: (SpanEnd & { readonly endMs: number }) | undefined;
  /** Seq of its SPAN_START. */
  readonly seq: number;
}

/** Events that one look into the log reads. */
const logPage = 500;

/** Reads what a session's log and context hold. */
export class ReadLog {
  readonly #deps: ReadLogDeps;

  constructor(deps: ReadLogDeps) {
    this.#deps = deps;
  }

  /**
   * Durable events by seq. Throws SESSION_NOT_FOUND, RUN_NOT_FOUND, INVALID_PAGE_TOKEN, and CURSOR_OUT_OF_RANGE when what
   * follows a cursor, or the beginning of the run, was thrown away.
   */
  async events(
    caller: Caller,
    sessionId: SessionId,
    query: { readonly runId: RunId | undefined; readonly afterSeq: number },
    page: PageRequest,
  ): Promise<Page<AgentEvent>> {
    await ownSession(this.#deps.sessions, caller, sessionId);
    const run = query.runId === undefined ? undefined : await ownRun(this.#deps, caller, sessionId, query.runId);
    return readPage(this.#deps.pageTokens, ['events', caller.uid, sessionId, query.runId ?? ''], page, {
      read: (after, limit) => {
        return this.#eventsAfter(sessionId, run, after === undefined ? query.afterSeq : Number(after[0]), limit);
      },
      cursorOf: ({ seq }) => [Number(seq)],
      bytesOf: (event: AgentEvent) => bytesAtMost(event),
    });
  }

  async #eventsAfter(sessionId: SessionId, run: Run | undefined, afterSeq: number, limit: number) {
    const { log } = this.#deps;
    const range = rangeOf(run, afterSeq);
    const events = await log.read({ sessionId, ...range, limit });
    // 0 is the first that is kept; a run that has not begun has no events.
    if (run === undefined ? afterSeq > 0 : run.startSeq > 0) {
      await assertKept(log, sessionId, range.afterSeq, events);
    }
    return events;
  }

  /** A dialogue of the model context, oldest first. Throws SESSION_NOT_FOUND, INVALID_PAGE_TOKEN. */
  async messages(
    caller: Caller,
    sessionId: SessionId,
    threadId: string,
    page: PageRequest,
  ): Promise<Page<StoredMessage>> {
    await ownSession(this.#deps.sessions, caller, sessionId);
    return readPage(this.#deps.pageTokens, ['messages', caller.uid, sessionId, threadId], page, {
      read: (after, limit) => this.#deps.context.read(sessionId, Number(after?.[0] ?? 0), limit, threadId),
      cursorOf: ({ seq }) => [seq],
      bytesOf: ({ payload }) => payload.length,
    });
  }

  /** The spans of a run in the order in which they were opened. Throws RUN_NOT_FOUND, INVALID_PAGE_TOKEN. */
  async spans(caller: Caller, sessionId: SessionId, runId: RunId, page: PageRequest): Promise<Page<LoggedSpan>> {
    const run = await ownRun(this.#deps, caller, sessionId, runId);
    return readPage(this.#deps.pageTokens, ['spans', caller.uid, sessionId, runId], page, {
      read: async (after, limit) => {
        const afterSeq = Number(after?.[0] ?? 0);
        return (await this.#spansOf(run)).filter(({ seq }) => seq > afterSeq).slice(0, limit);
      },
      cursorOf: ({ seq }) => [seq],
    });
  }

  /** A span may end long after others have begun, so all of the run's are put together. */
  async #spansOf(run: Run): Promise<readonly LoggedSpan[]> {
    const spans = new Map<string, LoggedSpan>();
    let afterSeq = 0;
    for (;;) {
      const events = await this.#deps.log.read({
        sessionId: run.sessionId,
        ...rangeOf(run, afterSeq),
        cases: ['spanStart', 'spanEnd', 'runAttempt'],
        limit: logPage,
      });
      for (const event of events) {
        noteSpan(spans, event);
      }
      afterSeq = Number(events.at(-1)?.seq ?? 0);
      if (events.length < logPage) {
        return [...spans.values()];
      }
    }
  }
}

/** Where a run's events lie, so that no other run's are read. */
function rangeOf(run: Run | undefined, afterSeq: number) {
  if (run === undefined) {
    return { afterSeq };
  }
  const until = run.terminalSeq === 0 ? {} : { untilSeq: run.terminalSeq };
  return { afterSeq: Math.max(afterSeq, run.startSeq - 1), runId: run.id, ...until };
}

function noteSpan(spans: Map<string, LoggedSpan>, { span, time, data, seq }: AgentEvent): void {
  if (span === undefined) {
    return;
  }
  if (data.case === 'spanStart') {
    spans.set(span.id, { ...data.value, span, startMs: eventTimeMs(time), end: undefined, seq: Number(seq) });
  } else if (data.case === 'runAttempt') {
    abandonOpen(spans, eventTimeMs(time));
  } else if (data.case === 'spanEnd') {
    const open = spans.get(span.id);
    if (open !== undefined) {
      spans.set(span.id, { ...open, end: { ...data.value, endMs: eventTimeMs(time) } });
    }
  }
}

/** Another dispatch: what was open is over, but for the run itself. */
function abandonOpen(spans: Map<string, LoggedSpan>, endMs: number): void {
  const end = { status: spanStatus.abandoned, errorType: '', attributes: {}, endMs };
  for (const [id, open] of spans) {
    if (open.end === undefined && open.span.par !== '') {
      spans.set(id, { ...open, end });
    }
  }
}
