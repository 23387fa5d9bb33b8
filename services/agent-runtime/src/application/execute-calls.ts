import type { ExecSpanContext } from '@spanwise/kernel';
import type { ToolCallPart, ToolResultPart } from '../domain/message/message.ts';
import type { RunDispatch } from '../domain/run/run-dispatch.ts';
import type { CallBatch } from '../domain/tool/call-batch.ts';
import type { Tool } from '../domain/tool/tool.ts';
import { tooManyCallsResult, unknownToolResult } from './answer-calls.ts';
import type { ExecuteCall } from './execute-call.ts';
import type { RunLog } from './run-log.ts';
import type { RunSignal } from './run-signal.ts';

/** The calls of one turn, and where they happen. */
export interface CallExecution {
  readonly run: RunDispatch;
  readonly batch: CallBatch;
  /** What the model was offered: nothing else is executed. */
  readonly tools: readonly Tool[];
  /** The turn. */
  readonly parent: ExecSpanContext;
  readonly log: RunLog;
}

/** Calls of one turn that are executed; a model that asks for a thousand is told to slow down. */
const maxCalls = 64;
/** Calls that run side by side. */
const maxParallel = 8;

/**
 * Executes the calls of a message that have no result yet: those next to each other that only read side by side, the
 * others in order, one by one, because a write may be what the next call builds on. Results and interrupts are said as
 * they come. A call that can't be executed is answered with what is wrong; only the signal ends this before every call has
 * its result or waits for an interrupt. Guards of the run protocol: answersOnlyUnanswered.
 */
export class ExecuteCalls {
  readonly #executeCall: ExecuteCall;

  constructor({ executeCall }: { readonly executeCall: ExecuteCall }) {
    this.#executeCall = executeCall;
  }

  /** Throws the signal's reason; the calls without result are then in the batch. */
  async execute(execution: CallExecution, stop: RunSignal): Promise<void> {
    const { batch, tools } = execution;
    stop.halt.throwIfAborted();
    const toolByName = new Map(tools.map((tool) => [tool.name, tool]));
    const isReadOnly = ({ tool }: ToolCallPart) => toolByName.get(tool)?.effect === 'read-only';
    const isOpen = (call: ToolCallPart) => !batch.isAnswered(call);
    for (const group of groupsOf(batch.calls.slice(0, maxCalls).filter(isOpen), isReadOnly)) {
      const waiting = group[Symbol.iterator]();
      const workers = Array.from({ length: Math.min(maxParallel, group.length) }, async () => {
        for (const call of waiting) {
          stop.halt.throwIfAborted();
          await this.#executeOne(execution, call, toolByName.get(call.tool), stop);
        }
      });
      // All of them: when the signal ends one, the others have to close what they opened before the turn is closed.
      await Promise.allSettled(workers);
      stop.halt.throwIfAborted();
    }
    for (const call of batch.calls.slice(maxCalls).filter(isOpen)) {
      answerCall(execution, tooManyCallsResult(call, maxCalls));
    }
  }

  async #executeOne(execution: CallExecution, call: ToolCallPart, tool: Tool | undefined, stop: RunSignal) {
    const { run, batch, parent, log } = execution;
    if (tool === undefined) {
      answerCall(execution, unknownToolResult(call, execution.tools));
      return;
    }
    const pending = {
      run,
      call,
      tool,
      parent,
      log,
      wasBegun: batch.wasBegun(call),
      answer: run.answers.find(({ callId }) => callId === call.callId),
      isInteractive: run.interactive,
      begin: () => batch.begin(call),
    };
    const answer = await this.#executeCall.execute(pending, stop);
    if (answer.kind === 'result') {
      answerCall(execution, answer.result);
    } else {
      batch.suspend(call);
      log.say(parent.span, { case: 'interrupt', value: { interrupt: answer.interrupt } });
    }
  }
}

function answerCall({ batch, parent, log }: CallExecution, result: ToolResultPart): void {
  batch.answer(result);
  log.say(parent.span, { case: 'toolResult', value: result });
}

/** Neighbours that only read are one group; every other call is one of its own. */
function groupsOf(calls: readonly ToolCallPart[], isReadOnly: (call: ToolCallPart) => boolean): ToolCallPart[][] {
  const groups: ToolCallPart[][] = [];
  let isOpen = false;
  for (const call of calls) {
    const last = groups.at(-1);
    if (isReadOnly(call) && isOpen && last !== undefined) {
      last.push(call);
    } else {
      groups.push([call]);
    }
    isOpen = isReadOnly(call);
  }
  return groups;
}
