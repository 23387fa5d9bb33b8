import type { Clock } from '@spanwise/kernel';
import type { ReadVersions } from '../domain/files/read-versions.ts';
import type { Tool, ToolOutput, ToolSuspension } from '../domain/tool/tool.ts';
import type { CallFrame, CallOutcome, ToolCall } from '../domain/tool/tool-call.ts';
import type { CallLog, ToolContext } from '../domain/tool/tool-context.ts';
import { cannotSuspend } from '../domain/tool/tool-errors.ts';
import { askToSignIn } from './ask-to-sign-in.ts';
import { boundOutput } from './bound-output.ts';
import type { CallSpans } from './ports/call-spans.ts';
import type { RunFiles } from './ports/run-files.ts';
import { runWithin } from './run-within.ts';
import { type SuspendCallDeps, suspendCall } from './suspend-call.ts';
import { tracedFiles } from './traced-files.ts';

export interface RunToolDeps extends SuspendCallDeps {
  readonly files: RunFiles;
  readonly reads: ReadVersions;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** What a call works with while it goes on. */
export interface RunningCall {
  readonly emit: (frame: CallFrame) => void;
  readonly spans: CallSpans;
  readonly log: CallLog;
  /** Stops the tool. */
  readonly signal: AbortSignal;
}

/** A tool that is to be run, with arguments that fit it. */
export interface ToolRun {
  readonly call: ToolCall;
  readonly tool: Tool;
  readonly input: unknown;
  /** Is given the tool at work, which may go on after its call was stopped. */
  readonly follow: <Result>(work: Promise<Result>) => Promise<Result>;
}

/** Left of the caller's time for the answer to reach it. */
const answerMarginMs = 250;

/**
 * Runs a tool until its deadline and bounds what it says. A disk that does not take the user's token makes the call wait for
 * another one. Throws what the tool throws, and what {@link runWithin} does.
 */
export async function runTool(deps: RunToolDeps, run: ToolRun, running: RunningCall): Promise<CallOutcome> {
  const { call, tool, input, follow } = run;
  const limitMs = Math.min(tool.limits.timeoutMs, (call.timeoutMs ?? Number.POSITIVE_INFINITY) - answerMarginMs);
  const deadlineMs = deps.clock.nowMs() + limitMs;
  let output: ToolOutput | ToolSuspension;
  try {
    output = await runWithin(
      limitMs,
      (signal) => follow(tool.execute(input, contextOf(deps, call, { ...running, signal }, deadlineMs))),
      running.signal,
    );
  } catch (error) {
    return { type: 'suspended', interrupt: suspendCall(deps, call, askToSignIn(tool, call, error)) };
  }
  if (!isSuspension(output)) {
    const result = { callId: call.callId, outcome: 'ok' as const, ...boundOutput(output, tool.limits) };
    return { type: 'ended', end: { result, errorType: '' } };
  }
  if (tool.effect === 'READ_ONLY') {
    throw cannotSuspend(tool.name);
  }
  return { type: 'suspended', interrupt: suspendCall(deps, call, output) };
}

function isSuspension(output: ToolOutput | ToolSuspension): output is ToolSuspension {
  return 'suspend' in output;
}

function contextOf(
  { files, reads, clock }: RunToolDeps,
  call: ToolCall,
  { emit, spans, log, signal }: RunningCall,
  deadlineMs: number,
): ToolContext {
  const { caller, sessionId, runId, callId, epoch } = call;
  const { span } = spans.context;
  // The guard passesIdempotencyKey of the run protocol: the same call has the same key, however often it is executed.
  const idempotencyKey = `${runId}:${callId}`;
  return {
    files: tracedFiles(files, { caller, sessionId, viewId: runId, epoch, idempotencyKey, signal }, spans),
    reads: reads.of(caller.uid, sessionId),
    signal,
    deadlineMs,
    idempotencyKey,
    answer: call.answer,
    progress: (progress) => {
      if (!signal.aborted) {
        emit({ type: 'progress', callId, span, timeMs: clock.nowMs(), progress });
      }
    },
    log,
  };
}
