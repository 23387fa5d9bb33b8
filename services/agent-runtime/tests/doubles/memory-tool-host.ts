import type { ExecSpanContext, IdGenerator } from '@spanwise/kernel';
import type { ToolExecution, ToolHost } from '../../src/application/ports/tool-host.ts';
import { type ToolResultPart, toolOutcome } from '../../src/domain/message/message.ts';
import type { RunScope } from '../../src/domain/run/run-dispatch.ts';
import { eventTime, type RunEvent, spanKind, spanStatus } from '../../src/domain/run/run-event.ts';
import type { Tool, ToolEffect } from '../../src/domain/tool/tool.ts';

/** A tool that the double executes. */
export interface MemoryTool {
  readonly name: string;
  readonly effect: ToolEffect;
  /** Returns what the model is shown; a thrown error becomes an error result, as in the real one. */
  readonly run: (input: Record<string, unknown>, context: ToolContext) => Promise<string> | string;
}

export interface ToolContext {
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

export interface MemoryToolHostDeps {
  readonly ids: IdGenerator;
  readonly tools: readonly MemoryTool[];
}

/** Tool-host in memory: checks arguments, opens a span for each call, tells of progress, stops when it is aborted. */
export class MemoryToolHost implements ToolHost {
  /** What happened, in order: `begin read`, `end read`, `stop read`. */
  readonly log: string[] = [];
  readonly executions: ToolExecution[] = [];
  /** What happens to a call before it is executed; throws what a lost connection would. */
  beforeExecute: (execution: ToolExecution) => void = () => undefined;
  readonly #deps: MemoryToolHostDeps;

  constructor(deps: MemoryToolHostDeps) {
    this.#deps = deps;
  }

  async list(_run: RunScope, _span: ExecSpanContext): Promise<readonly Tool[]> {
    return this.#deps.tools.map(({ name, effect }) => ({
      name,
      description: `Does ${name}.`,
      inputSchema: { type: 'object' },
      effect,
    }));
  }

  async execute(execution: ToolExecution, emit: (event: RunEvent) => void, signal: AbortSignal) {
    const { call, span: parent } = execution;
    const tool = this.#deps.tools.find(({ name }) => name === call.tool);
    this.executions.push(execution);
    this.beforeExecute(execution);
    const span = { id: this.#deps.ids.spanId(), par: parent.span.id };
    const say = (data: RunEvent['data']) => emit({ span, time: eventTime(0), data });
    const name = `execute_tool ${call.tool}`;
    const value = { kind: spanKind.tool, name, traceId: parent.traceId, attributes: {}, service: 'tool-host' };
    say({ case: 'spanStart', value });
    this.log.push(`begin ${call.tool}`);
    try {
      const progress = (message: string) =>
        say({ case: 'toolProgress', value: { callId: call.callId, progress: 1, total: 2, message } });
      const input = JSON.parse(call.argumentsJson) as Record<string, unknown>;
      const output = await untilAborted(Promise.resolve(tool?.run(input, { signal, progress }) ?? ''), signal);
      say({ case: 'spanEnd', value: { status: spanStatus.ok, errorType: '', attributes: {} } });
      this.log.push(`end ${call.tool}`);
      return result(call.callId, toolOutcome.ok, output);
    } catch (error) {
      if (signal.aborted) {
        // The connection is gone: nobody hears how the span ended.
        this.log.push(`stop ${call.tool}`);
        throw error;
      }
      say({ case: 'spanEnd', value: { status: spanStatus.error, errorType: 'TOOL_FAILED', attributes: {} } });
      this.log.push(`fail ${call.tool}`);
      return result(call.callId, toolOutcome.error, String(error));
    }
  }
}

function result(callId: string, outcome: ToolResultPart['outcome'], text: string): ToolResultPart {
  return { callId, outcome, content: [{ content: { case: 'text', value: text } }], structuredJson: '' };
}

async function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return Promise.race([promise, aborted]);
}
