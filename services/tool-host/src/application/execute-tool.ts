import type { Clock } from '@spanwise/kernel';
import type { ReadVersions } from '../domain/files/read-versions.ts';
import type { CallFrame, ToolCall, ToolResult } from '../domain/tool/tool-call.ts';
import type { ToolCatalog } from '../domain/tool/tool-catalog.ts';
import type { CallLog, ToolContext } from '../domain/tool/tool-context.ts';
import { type BoundedOutput, boundOutput } from './bound-output.ts';
import { decodeArguments } from './decode-arguments.ts';
import { explainFailure } from './explain-failure.ts';
import { FrameQueue } from './frame-queue.ts';
import type { CallSpans, StartCallSpans } from './ports/call-spans.ts';
import type { RunFiles } from './ports/run-files.ts';
import { runWithin } from './run-within.ts';
import { tracedFiles } from './traced-files.ts';
import { validateArguments } from './validate-arguments.ts';

export interface ExecuteToolDeps {
  readonly tools: ToolCatalog;
  readonly files: RunFiles;
  readonly reads: ReadVersions;
  readonly startSpans: StartCallSpans;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** The log of one call, which names it in every line. */
  readonly logOf: (call: ToolCall) => CallLog;
}

/** Left of the caller's time for the answer to reach it. */
const answerMarginMs = 250;

type Emit = (frame: CallFrame) => void;

/**
 * Executes one call: look up the tool → decode and validate the arguments → run it until its deadline → bound its output.
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
   * Spans and progress as they happen, then one result. Throws the reason of `signal` when that aborts, which stops the
   * tool; so does leaving the iteration.
   */
  async *execute(call: ToolCall, signal: AbortSignal): AsyncGenerator<CallFrame> {
    const left = new AbortController();
    const frames = new FrameQueue<CallFrame>((last, next) => last.type === 'progress' && next.type === 'progress');
    const emit: Emit = (frame) => frames.push(frame);
    this.#perform(call, emit, AbortSignal.any([signal, left.signal])).then(
      (result) => {
        emit({ type: 'result', result });
        frames.end();
      },
      (error: unknown) => frames.fail(error),
    );
    try {
      yield* frames.read();
    } finally {
      left.abort();
    }
  }

  async #perform(call: ToolCall, emit: Emit, signal: AbortSignal): Promise<ToolResult> {
    const { callId } = call;
    const log = this.#deps.logOf(call);
    const spans = this.#deps.startSpans(call, (event) => emit({ type: 'span', event }));
    try {
      const output = await this.#run(call, { emit, spans, log, signal });
      spans.end({ status: 'ok' });
      return { callId, outcome: 'ok', ...output };
    } catch (error) {
      if (signal.aborted) {
        spans.end({ status: 'cancelled' });
        signal.throwIfAborted();
      }
      const { outcome, text, errorType, isBug } = explainFailure(error);
      if (isBug) {
        log.error({ err: error }, 'tool failed');
      }
      spans.end({ status: 'error', errorType });
      return { callId, outcome, text, structuredJson: '' };
    }
  }

  async #run(call: ToolCall, running: RunningCall): Promise<BoundedOutput> {
    const tool = this.#deps.tools.require(call.tool);
    const input = validateArguments(tool, decodeArguments(call.argumentsJson));
    const limitMs = Math.min(tool.limits.timeoutMs, (call.timeoutMs ?? Number.POSITIVE_INFINITY) - answerMarginMs);
    const deadlineMs = this.#deps.clock.nowMs() + limitMs;
    const output = await runWithin(
      limitMs,
      (signal) => tool.execute(input, this.#context(call, { ...running, signal }, deadlineMs)),
      running.signal,
    );
    return boundOutput(output, tool.limits);
  }

  #context(call: ToolCall, { emit, spans, log, signal }: RunningCall, deadlineMs: number): ToolContext {
    const { caller, sessionId, runId, callId } = call;
    const { span } = spans.context;
    return {
      files: tracedFiles(this.#deps.files, { caller, sessionId, viewId: runId, signal }, spans),
      reads: this.#deps.reads.of(caller.uid, sessionId),
      signal,
      deadlineMs,
      idempotencyKey: `${runId}:${callId}`,
      progress: (progress) => {
        if (!signal.aborted) {
          emit({ type: 'progress', callId, span, timeMs: this.#deps.clock.nowMs(), progress });
        }
      },
      log,
    };
  }
}

/** What a call works with while it goes on. */
interface RunningCall {
  readonly emit: Emit;
  readonly spans: CallSpans;
  readonly log: CallLog;
  readonly signal: AbortSignal;
}
