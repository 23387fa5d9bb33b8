import type { ExecSpanContext } from '@spanwise/kernel';
import type { ToolResultPart } from '../domain/message/message.ts';
import type { RunScope } from '../domain/run/run-dispatch.ts';
import type { CallBatch, ModelCall } from '../domain/tool/call-batch.ts';
import type { Tool } from '../domain/tool/tool.ts';
import { cutResult, failedResult, shownResult, tooManyCallsResult, unknownToolResult } from './answer-calls.ts';
import type { ToolHost } from './ports/tool-host.ts';
import type { RunLog } from './run-log.ts';
import { ToolEvents } from './tool-events.ts';
import { untilAborted } from './until-aborted.ts';

/** The calls of one turn, and where they happen. */
export interface CallExecution {
  readonly run: RunScope;
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
 * Executes the calls of a message: those next to each other that only read side by side, the others in order, one by one,
 * because a write may be what the next call builds on. Results are said as they come. A call that can't be executed is
 * answered with what is wrong; only the signal ends this before every call has its result.
 */
export class ExecuteCalls {
  readonly #toolHost: ToolHost;

  constructor({ toolHost }: { readonly toolHost: ToolHost }) {
    this.#toolHost = toolHost;
  }

  /** Throws the signal's reason; the calls without result are then in the batch. */
  async execute(execution: CallExecution, signal: AbortSignal): Promise<void> {
    const { batch, tools } = execution;
    const toolByName = new Map(tools.map((tool) => [tool.name, tool]));
    const isReadOnly = ({ tool }: ModelCall) => toolByName.get(tool)?.effect === 'read-only';
    for (const group of groupsOf(batch.calls.slice(0, maxCalls), isReadOnly)) {
      const waiting = group[Symbol.iterator]();
      const workers = Array.from({ length: Math.min(maxParallel, group.length) }, async () => {
        for (const call of waiting) {
          signal.throwIfAborted();
          await this.#executeOne(execution, call, toolByName.get(call.tool), signal);
        }
      });
      // All of them: when the signal ends one, the others have to close what they opened before the turn is closed.
      await Promise.allSettled(workers);
      signal.throwIfAborted();
    }
    for (const call of batch.calls.slice(maxCalls)) {
      this.#answer(execution, tooManyCallsResult(call, maxCalls));
    }
  }

  async #executeOne(execution: CallExecution, call: ModelCall, tool: Tool | undefined, signal: AbortSignal) {
    if (call.isCut) {
      this.#answer(execution, cutResult(call));
    } else if (tool === undefined) {
      this.#answer(execution, unknownToolResult(call, execution.tools));
    } else {
      this.#answer(execution, await this.#run(execution, call, tool, signal));
    }
  }

  async #run({ run, batch, parent, log }: CallExecution, call: ModelCall, tool: Tool, signal: AbortSignal) {
    const { callId, argumentsJson } = call;
    const events = new ToolEvents(log);
    batch.begin(call);
    try {
      const execution = { run, call: { callId, tool: tool.name, argumentsJson }, span: parent };
      const given = await untilAborted(
        this.#toolHost.execute(execution, (event) => events.accept(event), signal),
        signal,
      );
      return shownResult(given);
    } catch (error) {
      signal.throwIfAborted();
      return failedResult(call, tool, error);
    } finally {
      events.close(signal.aborted ? 'cancelled' : 'abandoned');
    }
  }

  #answer({ batch, parent, log }: CallExecution, result: ToolResultPart): void {
    batch.answer(result);
    log.say(parent.span, { case: 'toolResult', value: result });
  }
}

/** Neighbours that only read are one group; every other call is one of its own. */
function groupsOf(calls: readonly ModelCall[], isReadOnly: (call: ModelCall) => boolean): readonly ModelCall[][] {
  const groups: ModelCall[][] = [];
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
