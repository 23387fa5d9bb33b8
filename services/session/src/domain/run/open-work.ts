import type { ExecSpan } from '@spanwise/kernel';
import {
  abandonReason,
  eventTimeMs,
  type Interrupt,
  type InterruptAnswer,
  inThread,
  role,
  type SpanEnd,
  type SpanStart,
  spanStatus,
  type TokenUsage,
  type ToolResult,
  toolOutcome,
  type UnplacedEvent,
} from '../event/agent-event.ts';
import { WorkTime } from './work-time.ts';

/** A span that is not closed yet. */
export interface OpenSpanRecord extends SpanStart {
  readonly span: ExecSpan;
  readonly threadId?: string;
  readonly startMs: number;
}

/** A span that was closed, for export. */
export interface ClosedSpan extends OpenSpanRecord {
  readonly endMs: number;
  readonly end: SpanEnd;
}

/** What becomes of a call in the end. */
export interface CallResult {
  readonly result: ToolResult;
  /** Nobody has told it yet. */
  readonly isNew: boolean;
  /** The dialogue that it belongs to; missing = the main one. */
  readonly threadId?: string;
}

interface OpenCall {
  readonly messageId: string;
  /** The dialogue that it is asked for in. */
  readonly threadId: string;
  /** What it waited for, once that is answered. */
  answer: InterruptAnswer | undefined;
  /** Whether the message that asks for it is in the log: only then it may have been executed and must be answered. */
  isCommitted: boolean;
  result: ToolResult | undefined;
}

/**
 * What a run has begun and not ended: spans, messages without MESSAGE, tool calls without a result in the context. Told by
 * the run's own events, so that whoever ends the run can close everything, whatever has become of the executor.
 */
export class OpenWork {
  readonly #spans = new Map<string, OpenSpanRecord>();
  /** Messages without MESSAGE, and the dialogue of each. */
  readonly #messages = new Map<string, string>();
  /** Dialogues of delegate calls that have messages in the context. */
  readonly #threads = new Set<string>();
  readonly #calls = new Map<string, OpenCall>();
  readonly #interrupts = new Map<string, Interrupt>();
  /** Answered ones as well. */
  readonly #raised = new Set<string>();
  readonly #time = new WorkTime();
  #usage: TokenUsage | undefined;
  #mayHaveWritten = false;
  #turns = 0;

  /** Takes note of an event. Answers the span that it closes. */
  note({ span, time, threadId = '', data }: UnplacedEvent): ClosedSpan | undefined {
    this.#time.note({ span, time, data });
    this.#mayHaveWritten ||= data.case === 'toolCallStart' || data.case === 'toolResult';
    switch (data.case) {
      case 'spanStart':
        if (span !== undefined) {
          this.#spans.set(span.id, { ...data.value, span, startMs: eventTimeMs(time), ...inThread(threadId) });
        }
        return undefined;
      case 'spanEnd': {
        const open = this.#spans.get(span?.id ?? '');
        this.#spans.delete(span?.id ?? '');
        return open === undefined ? undefined : { ...open, endMs: eventTimeMs(time), end: data.value };
      }
      case 'textStart':
      case 'reasoningStart':
        this.#messages.set(data.value.messageId, threadId);
        return undefined;
      case 'toolCallStart':
        this.#messages.set(data.value.messageId, threadId);
        this.#calls.set(data.value.callId, {
          messageId: data.value.messageId,
          threadId,
          answer: undefined,
          isCommitted: false,
          result: undefined,
        });
        return undefined;
      case 'interrupt':
        this.#raise(data.value.interrupt);
        return undefined;
      case 'interruptAnswered':
        this.#settle(data.value.answer);
        return undefined;
      case 'usage':
        this.#usage = sum(this.#usage, data.value.usage);
        return undefined;
      case 'toolResult':
        this.#answer(data.value);
        return undefined;
      case 'message':
        this.#commit(data.value.messageId, data.value.role, threadId);
        return undefined;
      case 'messageAbandoned':
        this.#abandon(data.value.messageId);
        return undefined;
      default:
        return undefined;
    }
  }

  /**
   * The run is dispatched again: what only the executor of the dispatch before knew is void. Answers the spans that are
   * abandoned with that: all but the root.
   */
  abandonAttempt(nowMs: number): readonly ClosedSpan[] {
    for (const messageId of this.#messages.keys()) {
      this.#forgetCalls((call) => call.messageId === messageId);
    }
    this.#messages.clear();
    const abandoned = this.openSpans().filter(({ span }) => span.par !== '');
    abandoned.forEach(({ span }) => this.#spans.delete(span.id));
    const end = { status: spanStatus.abandoned, errorType: '', attributes: {} };
    return abandoned.map((open) => ({ ...open, endMs: nowMs, end }));
  }

  /** From when the agent's own time counts; undefined while no executor has begun. */
  get beginMs(): number | undefined {
    return this.#time.beginMs;
  }

  /**
   * Whether files may have been changed: tools do that, and any call that was begun counts, also one whose message was
   * abandoned or whose executor was lost.
   */
  get mayHaveWritten(): boolean {
    return this.#mayHaveWritten;
  }

  /** Turns that were taken: answers of models in the context, over all dialogues. */
  get turns(): number {
    return this.#turns;
  }

  /** Sum of what the model calls used. */
  get usage(): TokenUsage | undefined {
    return this.#usage;
  }

  /** Whether an interrupt was told before: a later dispatch tells it again. */
  isRaised(interruptId: string): boolean {
    return this.#raised.has(interruptId);
  }

  /** What the run waits for. */
  interrupts(): readonly Interrupt[] {
    return [...this.#interrupts.values()];
  }

  /** Answers that calls without a result have waited for. */
  answers(): readonly InterruptAnswer[] {
    return [...this.#calls.values()].flatMap(({ answer, result }) => (answer && !result ? [answer] : []));
  }

  /** Results that are in the log, of calls whose message is in the context. */
  knownResults(): readonly ToolResult[] {
    return [...this.#calls.values()].flatMap(({ isCommitted, result }) => (isCommitted && result ? [result] : []));
  }

  /** Dialogues of calls that are not answered: whoever goes on with such a call goes on with its dialogue. */
  openThreads(): readonly string[] {
    return [...this.#calls].flatMap(([callId, { result }]) => (!result && this.#threads.has(callId) ? [callId] : []));
  }

  /** MESSAGE_ABANDONED of every message that will not be completed. */
  abandonments(): readonly Pick<UnplacedEvent, 'threadId' | 'data'>[] {
    return [...this.#messages].map(([messageId, threadId]) => ({
      ...inThread(threadId),
      data: { case: 'messageAbandoned', value: { messageId, reason: abandonReason.runEnded } },
    }));
  }

  /**
   * The results of all calls whose message is in the context, in call order: those that came, and for the others one that
   * says that nobody knows. Empty when every call is answered in the context.
   */
  results(): readonly CallResult[] {
    return [...this.#calls]
      .filter(([, call]) => call.isCommitted)
      .map(([callId, { result, threadId }]) => ({
        result: result ?? lostResult(callId),
        isNew: result === undefined,
        ...inThread(threadId),
      }));
  }

  /** Open spans, innermost last opened first. */
  openSpans(): readonly OpenSpanRecord[] {
    return [...this.#spans.values()].reverse();
  }

  #raise(interrupt: Interrupt | undefined): void {
    if (interrupt !== undefined) {
      this.#interrupts.set(interrupt.id, interrupt);
      this.#raised.add(interrupt.id);
    }
  }

  #settle(answer: InterruptAnswer | undefined): void {
    this.#interrupts.delete(answer?.interruptId ?? '');
    const call = this.#calls.get(answer?.callId ?? '');
    if (call !== undefined) {
      call.answer = answer;
    }
  }

  #answer(result: ToolResult): void {
    const call = this.#calls.get(result.callId);
    if (call !== undefined) {
      call.result = result;
    }
  }

  #commit(messageId: string, messageRole: number, threadId: string): void {
    this.#messages.delete(messageId);
    this.#turns += messageRole === role.assistant ? 1 : 0;
    if (threadId !== '') {
      this.#threads.add(threadId);
    }
    if (messageRole === role.tool) {
      // One message answers all calls of a turn; those of other dialogues go on.
      this.#forgetCalls((call) => call.isCommitted && call.threadId === threadId);
    }
    for (const call of this.#calls.values()) {
      call.isCommitted ||= call.messageId === messageId;
    }
  }

  #abandon(messageId: string): void {
    this.#messages.delete(messageId);
    this.#forgetCalls((call) => call.messageId === messageId);
  }

  #forgetCalls(isMeant: (call: OpenCall) => boolean): void {
    for (const [callId, call] of this.#calls) {
      if (isMeant(call)) {
        this.#calls.delete(callId);
      }
    }
  }
}

function sum(a: TokenUsage | undefined, b: TokenUsage | undefined): TokenUsage | undefined {
  if (a === undefined || b === undefined) {
    return a ?? b;
  }
  return {
    provider: a.provider === b.provider ? a.provider : '',
    model: a.model === b.model ? a.model : '',
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
    estimated: a.estimated || b.estimated,
  };
}

/** A result never claims that a call did not run when it may have. */
function lostResult(callId: string): ToolResult {
  const value = 'The call was interrupted. It may or may not have had effects: check before doing it again.';
  return {
    callId,
    outcome: toolOutcome.unknown,
    content: [{ content: { case: 'text', value } }],
    structuredJson: '',
    code: '',
  };
}
