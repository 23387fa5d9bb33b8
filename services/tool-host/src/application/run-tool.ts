import type { Clock } from '@spanwise/kernel';
import type { CallLog, Egress, Files, ToolContext, ToolOutput, ToolSuspension } from '@spanwise/tool-kit/contract';
import type { GivenApproval } from '../domain/execution/given-approval.ts';
import type { ReadVersions } from '../domain/files/read-versions.ts';
import { clipText } from '../domain/text/bounded-text.ts';
import { redact } from '../domain/text/redact.ts';
import type { Callers } from '../domain/tool/callers.ts';
import type { CallFrame, CallOutcome, ToolCall } from '../domain/tool/tool-call.ts';
import { cannotSuspend } from '../domain/tool/tool-errors.ts';
import { askToSignIn } from './ask-to-sign-in.ts';
import type { CallSlots } from './call-slots.ts';
import { finishOutput } from './finish-output.ts';
import { keepOutput } from './keep-output.ts';
import { readingKeptOutputs } from './kept-outputs-path.ts';
import type { KnownCall } from './known-call.ts';
import type { CallSpans } from './ports/call-spans.ts';
import type { RunFiles } from './ports/run-files.ts';
import { ruledFiles } from './ruled-files.ts';
import { runWithin } from './run-within.ts';
import { type SuspendCallDeps, suspendCall } from './suspend-call.ts';
import { tracedFiles } from './traced-files.ts';
import type { WriteTurns } from './write-turns.ts';

export interface RunToolDeps extends SuspendCallDeps {
  readonly files: RunFiles;
  readonly reads: ReadVersions;
  readonly egress: Egress;
  /** Told of each call that begins. */
  readonly callers: Callers;
  readonly slots: CallSlots;
  readonly turns: WriteTurns;
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

/** A tool that is to be run. */
export interface ToolRun extends KnownCall {
  readonly call: ToolCall;
  readonly approval: GivenApproval | undefined;
  /** Is given the tool at work, which may go on after its call was stopped. */
  readonly follow: <Result>(work: Promise<Result>) => Promise<Result>;
}

/** Left of the caller's time for the answer to reach it. */
const answerMarginMs = 250;
const maxShownArguments = 1000;

/**
 * Runs a tool until its deadline, once its user has a slot and those who write to the same files are done, and makes of what
 * it says what is shown. A disk that does not take the user's token makes the call wait for another one. Throws what the
 * tool throws, and what {@link runWithin} does.
 */
export async function runTool(deps: RunToolDeps, run: ToolRun, running: RunningCall): Promise<CallOutcome> {
  const { call, tool, input, follow } = run;
  using _slot = await deps.slots.take(call.caller.uid, running.signal);
  using _turn = await deps.turns.take(placesOf(run), running.signal);
  const limitMs = Math.min(tool.limits.timeoutMs, (call.timeoutMs ?? Number.POSITIVE_INFINITY) - answerMarginMs);
  const deadlineMs = deps.clock.nowMs() + limitMs;
  let output: ToolOutput | ToolSuspension;
  try {
    output = await runWithin(
      limitMs,
      (signal) => follow(tool.execute(input, contextOf(deps, run, { ...running, signal }, deadlineMs))),
      running.signal,
    );
  } catch (error) {
    return { type: 'suspended', interrupt: suspendCall(deps, call, askToSignIn(tool, call, error)) };
  }
  if (!isSuspension(output)) {
    const keep = keepOutput(filesOf(deps, call, running, `${keyOf(call)}:output`), call, running.log);
    return { type: 'ended', end: await finishOutput(keep, call, tool, withNotice(output, run)) };
  }
  if (tool.effect === 'READ_ONLY') {
    throw cannotSuspend(tool.name);
  }
  return { type: 'suspended', interrupt: suspendCall(deps, call, output) };
}

/** Files that the call may change, in its view. */
function placesOf({ call, targets }: ToolRun): readonly string[] {
  const written = targets.filter(({ kind, access }) => kind === 'path' && access === 'write');
  return [...new Set(written.map(({ value }) => `${call.runId}:${value}`))];
}

function withNotice(output: ToolOutput, { approval }: ToolRun): ToolOutput {
  if (approval?.argumentsJson === undefined) {
    return output;
  }
  const changed = `[The user has changed the arguments to ${clipText(approval.argumentsJson, maxShownArguments)}]`;
  return { ...output, notice: [changed, output.notice ?? ''].filter((part) => part !== '').join('\n') };
}

function isSuspension(output: ToolOutput | ToolSuspension): output is ToolSuspension {
  return 'suspend' in output;
}

/** The guard passesIdempotencyKey of the run protocol: the same call has the same key, however often it is executed. */
function keyOf({ runId, callId }: ToolCall): string {
  return `${runId}:${callId}`;
}

function filesOf(
  { files }: RunToolDeps,
  call: ToolCall,
  { spans, signal }: RunningCall,
  idempotencyKey: string,
): Files {
  const { caller, sessionId, runId: viewId, epoch } = call;
  return tracedFiles(files, { caller, sessionId, viewId, epoch, idempotencyKey, signal }, spans);
}

function contextOf(deps: RunToolDeps, { call, tool }: ToolRun, running: RunningCall, deadlineMs: number): ToolContext {
  const { reads, egress, clock } = deps;
  const { caller, sessionId, runId, callId } = call;
  const { emit, log, signal } = running;
  const facts = { uid: caller.uid, sessionId, runId, callId };
  deps.callers.note(facts, caller);
  const { span } = running.spans.context;
  const files = readingKeptOutputs(filesOf(deps, call, running, keyOf(call)));
  return {
    call: facts,
    span: running.spans.context,
    files: tool.toolClass === 'shell' ? ruledFiles(files, call.policy) : files,
    reads: reads.of(caller.uid, sessionId),
    egress: egressOf(egress, signal),
    signal,
    deadlineMs,
    idempotencyKey: keyOf(call),
    answer: call.answer,
    progress: (progress) => {
      if (!signal.aborted) {
        emit({ type: 'progress', callId, span, timeMs: clock.nowMs(), progress });
      }
    },
    output: (text) => {
      if (!signal.aborted && text !== '') {
        emit({ type: 'output', callId, span, timeMs: clock.nowMs(), text: redact(text.toWellFormed()) });
      }
    },
    log,
  };
}

/** Nothing is asked for once the call is over. */
function egressOf(egress: Egress, over: AbortSignal): Egress {
  return {
    fetch: async (url, request, signal) => {
      over.throwIfAborted();
      return egress.fetch(url, request, AbortSignal.any([over, signal]));
    },
  };
}
