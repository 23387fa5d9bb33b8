import type { Clock, SpanEnd } from '@spanwise/kernel';
import type { CallLog } from '@spanwise/tool-kit/contract';
import type { AuditDecision } from '../domain/audit/audit-entry.ts';
import type { Ledger } from '../domain/execution/ledger.ts';
import type { CallFrame, CallOutcome, ToolCall } from '../domain/tool/tool-call.ts';
import { ExecuteOnce, type ExecuteOnceDeps } from './execute-once.ts';
import { reasonOf } from './explain-failure.ts';
import { FrameQueue } from './frame-queue.ts';
import { type JudgeCallDeps, type Judgement, judgeCall } from './judge-call.ts';
import type { LiveCall } from './live-calls.ts';
import type { CallMetrics } from './ports/call-metrics.ts';
import type { StartCallSpans } from './ports/call-spans.ts';
import type { RunningCall } from './run-tool.ts';

export interface ExecuteToolDeps extends ExecuteOnceDeps, JudgeCallDeps {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly startSpans: StartCallSpans;
  readonly metrics: CallMetrics;
  /** The log of one call, which names it in every line. */
  readonly logOf: (call: ToolCall) => CallLog;
}

type LastFrame = Extract<CallFrame, { readonly type: 'result' | 'suspended' }>;

/**
 * Executes one call: look up the tool → decode and validate the arguments → ask the rules, and the user where they say so →
 * begin in the ledger, or answer what it has → run the tool until its deadline → bound its output → record it, and only
 * then tell it.
 *
 * Whatever the model did wrong, a tool that fails and files that can not be reached end in a result that tells the model
 * what to do. All spans of the call have ended when the result comes, or when the call is cancelled.
 */
export class ExecuteTool {
  readonly #deps: ExecuteToolDeps;
  readonly #executeOnce: ExecuteOnce;

  constructor(deps: ExecuteToolDeps) {
    this.#deps = deps;
    this.#executeOnce = new ExecuteOnce(deps);
  }

  /**
   * Spans and progress as they happen, then one result, or what the call waits for. Throws the reason of `signal` when
   * that aborts, which stops the tool; so does leaving the iteration. Throws FENCED, also when a fence stops it midway,
   * CALL_REUSED and INVALID_FIELD. Throws SHUTTING_DOWN and DATABASE_UNAVAILABLE when nothing was begun, or what was begun
   * may be executed again.
   */
  async *execute(call: ToolCall, signal: AbortSignal): AsyncGenerator<CallFrame> {
    const live = this.#deps.live.enter(call);
    const left = new AbortController();
    const frames = new FrameQueue<CallFrame>(mergeFrames);
    const emit = (frame: CallFrame) => frames.push(frame);
    this.#perform(call, live, emit, AbortSignal.any([signal, left.signal, live.signal]))
      .then(
        (last) => {
          emit(last);
          frames.end();
        },
        (error: unknown) => frames.fail(error),
      )
      .finally(() => live.settle());
    try {
      yield* frames.read();
    } finally {
      left.abort();
    }
  }

  async #perform(
    call: ToolCall,
    live: LiveCall,
    emit: (frame: CallFrame) => void,
    signal: AbortSignal,
  ): Promise<LastFrame> {
    const log = this.#deps.logOf(call);
    const spans = this.#deps.startSpans(call, (event) => emit({ type: 'span', event }));
    const measured = this.#deps.metrics.begin(call);
    try {
      const outcome = await this.#decide(call, live, { emit, spans, log, signal });
      measured(outcome);
      spans.end(spanEndOf(outcome));
      return outcome.type === 'ended' ? { type: 'result', result: outcome.end.result } : outcome;
    } catch (error) {
      measured('stopped');
      spans.end(signal.aborted ? { status: 'cancelled' } : { status: 'error', errorType: reasonOf(error) });
      throw error;
    }
  }

  async #decide(call: ToolCall, live: LiveCall, running: RunningCall): Promise<CallOutcome> {
    const judgement = await judgeCall(this.#deps, call, running.log, running.signal);
    const decision = decisionOf(judgement);
    if (decision !== undefined) {
      running.spans.judged(decision);
    }
    switch (judgement.type) {
      case 'granted':
        return this.#executeOnce.execute(call, judgement.granted, live, running);
      case 'ask':
        return this.#executeOnce.ask(call, judgement, running);
      case 'waits':
        await this.#deps.ledger.assertOpen(call.sessionId, call.epoch);
        return { type: 'suspended', interrupt: judgement.interrupt };
      default: {
        const { end, refusal } = judgement;
        if (refusal !== undefined) {
          await this.#deps.audit.note({ call, ...refusal, end, isExecuted: false });
        }
        return { type: 'ended', end };
      }
    }
  }
}

/** UTF-16 units of output that wait for a reader who is slow. */
const maxWaitingOutput = 64 * 1024;

/** Of progress the latest counts; output is joined, and the oldest of it given up when nobody takes it. */
function mergeFrames(last: CallFrame, next: CallFrame): CallFrame | undefined {
  if (last.type === 'progress' && next.type === 'progress') {
    return next;
  }
  if (last.type === 'output' && next.type === 'output') {
    return { ...next, text: (last.text + next.text).slice(-maxWaitingOutput).toWellFormed() };
  }
  return undefined;
}

/** Undefined when it did not come to a decision: there is no such tool, or the arguments do not fit. */
function decisionOf(judgement: Judgement): AuditDecision | undefined {
  switch (judgement.type) {
    case 'granted':
      return judgement.granted.audit.decision;
    case 'refused':
      return judgement.refusal?.facts.decision;
    default:
      return 'ask';
  }
}

function spanEndOf(outcome: CallOutcome): SpanEnd {
  if (outcome.type === 'suspended' || outcome.end.errorType === '') {
    return { status: 'ok' };
  }
  return { status: 'error', errorType: outcome.end.errorType };
}
