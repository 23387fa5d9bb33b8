import { type Clock, DomainError, type IdGenerator, type SpanEnd } from '@spanwise/kernel';
import type { ExecutionStart } from '../domain/execution/execution.ts';
import { leaseLost } from '../domain/execution/execution-errors.ts';
import type { Ledger } from '../domain/execution/ledger.ts';
import type { Tool, ToolEffect } from '../domain/tool/tool.ts';
import type { CallEnd, CallFrame, CallOutcome, ToolCall } from '../domain/tool/tool-call.ts';
import type { ToolCatalog } from '../domain/tool/tool-catalog.ts';
import type { CallLog } from '../domain/tool/tool-context.ts';
import { argsHash } from './args-hash.ts';
import { type CallRecords, stoppedEnd, unknownEnd } from './call-records.ts';
import { decodeArguments } from './decode-arguments.ts';
import { enterLedger } from './enter-ledger.ts';
import { explainFailure, reasonOf } from './explain-failure.ts';
import { FrameQueue } from './frame-queue.ts';
import type { LiveCall, LiveCalls } from './live-calls.ts';
import type { StartCallSpans } from './ports/call-spans.ts';
import { type RunningCall, type RunToolDeps, runTool } from './run-tool.ts';
import { validateArguments } from './validate-arguments.ts';

export interface ExecuteToolDeps extends RunToolDeps {
  readonly tools: ToolCatalog;
  readonly ledger: Ledger;
  readonly records: CallRecords;
  readonly live: LiveCalls;
  /** The process itself; its id changes when it has lost its lease. */
  readonly instance: { readonly id: string };
  readonly startSpans: StartCallSpans;
  readonly clock: Clock;
  readonly ids: Pick<IdGenerator, 'uuid'>;
  /** The log of one call, which names it in every line. */
  readonly logOf: (call: ToolCall) => CallLog;
}

type LastFrame = Extract<CallFrame, { readonly type: 'result' | 'suspended' }>;

/**
 * Executes one call: look up the tool → decode and validate the arguments → begin in the ledger, or answer what it has →
 * run the tool until its deadline → bound its output → record it, and only then tell it.
 *
 * Whatever the model did wrong, a tool that fails and files that can not be reached end in a result that tells the model
 * what to do. All spans of the call have ended when the result comes, or when the call is cancelled.
 */
export class ExecuteTool {
  readonly #deps: ExecuteToolDeps;

  constructor(deps: ExecuteToolDeps) {
    this.#deps = deps;
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
    const frames = new FrameQueue<CallFrame>((last, next) => last.type === 'progress' && next.type === 'progress');
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
    try {
      const outcome = await this.#decide(call, live, { emit, spans, log, signal });
      spans.end(spanEndOf(outcome));
      return outcome.type === 'ended' ? { type: 'result', result: outcome.end.result } : outcome;
    } catch (error) {
      spans.end(signal.aborted ? { status: 'cancelled' } : { status: 'error', errorType: reasonOf(error) });
      throw error;
    }
  }

  async #decide(call: ToolCall, live: LiveCall, running: RunningCall): Promise<CallOutcome> {
    let prepared: { readonly tool: Tool; readonly input: unknown };
    try {
      const tool = this.#deps.tools.require(call.tool);
      prepared = { tool, input: validateArguments(tool, decodeArguments(call.argumentsJson)) };
    } catch (error) {
      return { type: 'ended', end: failureOf(call, error, running.log) };
    }
    const { tool, input } = prepared;
    if (tool.effect !== 'READ_ONLY') {
      return this.#executeOnce(call, live, { tool, effect: tool.effect, input }, running);
    }
    await this.#deps.ledger.assertOpen(call.sessionId, call.epoch);
    running.signal.throwIfAborted();
    live.begin(false);
    const outcome = await this.#run(call, live, prepared, running);
    live.finish();
    return outcome.type === 'ended'
      ? outcome
      : this.#keepAsked(call, live, { ...prepared, effect: tool.effect }, outcome, running);
  }

  async #executeOnce(
    call: ToolCall,
    live: LiveCall,
    ledgered: LedgeredCall,
    running: RunningCall,
  ): Promise<CallOutcome> {
    const { records } = this.#deps;
    const start = await this.#startOf(call, ledgered);
    const entry = await enterLedger(this.#deps, start, running.signal);
    if (entry.type !== 'begin') {
      return entry.type === 'unknown' ? { type: 'ended', end: unknownEnd(call) } : entry;
    }
    try {
      this.#assertStillMayBegin(start, running.signal);
    } catch (error) {
      await records.withdraw(start);
      throw error;
    }
    live.begin(true);
    this.#deps.live.execute(live);
    let outcome: CallOutcome;
    try {
      outcome = await this.#run(call, live, ledgered, running);
    } catch (error) {
      await records.settle(start, { state: 'UNKNOWN', end: stoppedEnd(call) });
      if (ledgered.effect === 'NON_REPEATABLE' && isOurFault(error)) {
        // Told to try again, a caller might take it for not begun.
        return { type: 'ended', end: unknownEnd(call) };
      }
      throw error;
    }
    live.finish();
    const isRecorded = await records.settle(
      start,
      outcome.type === 'ended'
        ? { state: 'DONE', end: outcome.end }
        : { state: 'SUSPENDED', interrupt: outcome.interrupt },
    );
    return isRecorded ? outcome : { type: 'ended', end: unknownEnd(call) };
  }

  /**
   * Writes down what a READ_ONLY call waits for, so that whoever asks for it again is told the same. Throws what
   * {@link enterLedger} does, and DATABASE_UNAVAILABLE when it could not be written: then it is read again.
   */
  async #keepAsked(
    call: ToolCall,
    live: LiveCall,
    ledgered: LedgeredCall,
    asked: Extract<CallOutcome, { readonly type: 'suspended' }>,
    running: RunningCall,
  ): Promise<CallOutcome> {
    const start = await this.#startOf(call, ledgered);
    const entry = await enterLedger(this.#deps, start, running.signal);
    if (entry.type !== 'begin') {
      return entry.type === 'unknown' ? { type: 'ended', end: unknownEnd(call) } : entry;
    }
    live.begin(true);
    this.#deps.live.execute(live);
    live.finish();
    if (!(await this.#deps.records.settle(start, { state: 'SUSPENDED', interrupt: asked.interrupt }))) {
      throw leaseLost();
    }
    return asked;
  }

  /** While the beginning was written down the call may have been stopped, or the lease lost that it relies on. */
  #assertStillMayBegin({ instanceId }: ExecutionStart, signal: AbortSignal): void {
    signal.throwIfAborted();
    if (instanceId !== this.#deps.instance.id) {
      throw leaseLost();
    }
  }

  /** Throws the reason of the signal only: whatever else goes wrong is how the call ended. */
  async #run(
    call: ToolCall,
    live: LiveCall,
    { tool, input }: { readonly tool: Tool; readonly input: unknown },
    running: RunningCall,
  ): Promise<CallOutcome> {
    try {
      const follow = live.follow.bind(live);
      return await runTool(this.#deps, { call, tool, input, follow }, running);
    } catch (error) {
      running.signal.throwIfAborted();
      return { type: 'ended', end: failureOf(call, error, running.log) };
    }
  }

  async #startOf(call: ToolCall, { effect }: LedgeredCall): Promise<ExecutionStart> {
    const { runId, callId, sessionId, epoch, tool, argumentsJson, answer } = call;
    const instanceId = this.#deps.instance.id;
    const mark = this.#deps.ids.uuid();
    const hash = await argsHash(tool, argumentsJson);
    const attempt = { instanceId, mark, epoch, tool, effect, argsHash: hash };
    return { runId, callId, sessionId, ...attempt, answeredInterruptId: answer?.interruptId };
  }
}

/** A call that the ledger is to have a row of. */
interface LedgeredCall {
  readonly tool: Tool;
  readonly effect: ToolEffect;
  readonly input: unknown;
}

/** The call was stopped because of this process: its lease was lost, or it is going away. */
function isOurFault(error: unknown): boolean {
  return error instanceof DomainError && error.kind === 'unavailable';
}

function failureOf({ callId }: ToolCall, error: unknown, log: CallLog): CallEnd {
  const { outcome, text, errorType, isBug } = explainFailure(error);
  if (isBug) {
    log.error({ err: error }, 'tool failed');
  }
  return { result: { callId, outcome, text, structuredJson: '' }, errorType };
}

function spanEndOf(outcome: CallOutcome): SpanEnd {
  if (outcome.type === 'suspended' || outcome.end.errorType === '') {
    return { status: 'ok' };
  }
  return { status: 'error', errorType: outcome.end.errorType };
}
