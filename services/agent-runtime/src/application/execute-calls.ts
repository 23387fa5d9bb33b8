import type { ExecSpanContext } from '@spanwise/kernel';
import type { ToolPolicy } from '@spanwise/tool-kit/contract';
import { ruleAgainst } from '../domain/delegation/delegate-rules.ts';
import { isDelegate } from '../domain/delegation/delegate-tool.ts';
import type { ToolCallPart, ToolResultPart } from '../domain/message/message.ts';
import type { RunDispatch } from '../domain/run/run-dispatch.ts';
import type { CallBatch } from '../domain/tool/call-batch.ts';
import type { Tool } from '../domain/tool/tool.ts';
import { loopResult, notDelegatedResult, tooManyCallsResult, unknownToolResult } from './answer-calls.ts';
import type { Delegates } from './delegates.ts';
import type { ExecuteCall } from './execute-call.ts';
import type { RunLog } from './run-log.ts';
import type { RunSignal } from './run-signal.ts';

/** The calls of one turn, and where they happen. */
export interface CallExecution {
  readonly run: RunDispatch;
  readonly batch: CallBatch;
  /** Ids of those that go round in circles. */
  readonly looping: ReadonlySet<string>;
  /** What the model was offered: nothing else is executed. */
  readonly tools: readonly Tool[];
  /** The rules of agent, session and run for them. */
  readonly policy: ToolPolicy;
  /** The turn. */
  readonly parent: ExecSpanContext;
  readonly log: RunLog;
  /** Undefined when nothing is delegated. */
  readonly delegates: Delegates | undefined;
}

/** Calls of one turn that are executed; a model that asks for a thousand is told to slow down. */
const maxCalls = 64;
/** Calls that run side by side. */
const maxParallel = 8;

/**
 * Executes the calls of a message that have no result yet: those next to each other that only read side by side, and so
 * those that are delegated; the others in order, one by one, because a write may be what the next call builds on. Results
 * and interrupts are said as they come. A call that can't be executed, or goes round in
 * circles, is answered with what is wrong; only the signal ends
 * this before every call has its result, waits for an interrupt or is left to another dispatch. Guards of the run protocol: answersOnlyUnanswered.
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
    const sideBySide = ({ tool }: ToolCallPart) => sideBySideOf(toolByName.get(tool));
    const isOpen = (call: ToolCallPart) => !batch.isAnswered(call);
    for (const group of groupsOf(batch.calls.slice(0, maxCalls).filter(isOpen), sideBySide)) {
      const waiting = group.calls[Symbol.iterator]();
      const limit = group.kind === 'delegated' ? (execution.delegates?.maxParallel ?? 1) : maxParallel;
      const workers = Array.from({ length: Math.min(limit, group.calls.length) }, async () => {
        for (const call of waiting) {
          stop.halt.throwIfAborted();
          await this.#executeOne(execution, call, toolByName.get(call.tool), stop);
        }
      });
      // All of them: when the signal ends one, the others have to close what they opened before the turn is closed.
      await Promise.allSettled(workers);
      stop.halt.throwIfAborted();
      if (batch.isLeft) {
        // What comes after it may build on it.
        return;
      }
    }
    for (const call of batch.calls.slice(maxCalls).filter(isOpen)) {
      answerCall(execution, tooManyCallsResult(call, maxCalls));
    }
  }

  async #executeOne(execution: CallExecution, call: ToolCallPart, tool: Tool | undefined, stop: RunSignal) {
    const { run, batch, parent, log, delegates } = execution;
    if (execution.looping.has(call.callId)) {
      answerCall(execution, loopResult(call));
      return;
    }
    if (tool === undefined) {
      answerCall(execution, unknownToolResult(call, execution.tools));
      return;
    }
    if (delegates !== undefined && isDelegate(tool)) {
      const rule = ruleAgainst(execution.policy, call.argumentsJson);
      if (rule !== undefined) {
        return answerCall(execution, notDelegatedResult(call, rule));
      }
      const answer = await delegates.execute({ call, parent, begin: () => batch.begin(call) });
      switch (answer.kind) {
        case 'result':
          return answerCall(execution, answer.result);
        case 'suspended':
          return batch.suspend(call);
        default:
          return batch.leave();
      }
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
      policy: execution.policy,
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

/** Calls of which this kind of neighbours are executed at the same time. */
type SideBySide = 'reading' | 'delegated';

interface CallGroup {
  readonly kind: SideBySide | undefined;
  readonly calls: ToolCallPart[];
}

function sideBySideOf(tool: Tool | undefined): SideBySide | undefined {
  if (tool !== undefined && isDelegate(tool)) {
    return 'delegated';
  }
  return tool?.effect === 'read-only' ? 'reading' : undefined;
}

/** Neighbours of one kind are one group; every call without a kind is one of its own. */
function groupsOf(
  calls: readonly ToolCallPart[],
  kindOf: (call: ToolCallPart) => SideBySide | undefined,
): readonly CallGroup[] {
  const groups: CallGroup[] = [];
  for (const call of calls) {
    const kind = kindOf(call);
    const last = groups.at(-1);
    if (kind !== undefined && last?.kind === kind) {
      last.calls.push(call);
    } else {
      groups.push({ kind, calls: [call] });
    }
  }
  return groups;
}
