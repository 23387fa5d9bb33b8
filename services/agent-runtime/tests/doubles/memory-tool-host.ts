import { DomainError, type ExecSpanContext, type IdGenerator } from '@spanwise/kernel';
import type { Timers } from '../../src/application/ports/timers.ts';
import {
  type FoundExecution,
  type SoughtExecution,
  type ToolAnswer,
  type ToolExecution,
  type ToolHost,
  toolHostUnavailable,
} from '../../src/application/ports/tool-host.ts';
import { type ToolResultPart, toolOutcome } from '../../src/domain/message/message.ts';
import type { Interrupt } from '../../src/domain/run/interrupt.ts';
import type { RunScope } from '../../src/domain/run/run-dispatch.ts';
import { eventTime, type RunEvent, spanKind, spanStatus } from '../../src/domain/run/run-event.ts';
import type { Tool, ToolClass, ToolEffect } from '../../src/domain/tool/tool.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { testTool } from './test-tool.ts';

/** A tool that the double executes. */
export interface MemoryTool {
  readonly name: string;
  readonly effect: ToolEffect;
  readonly toolClass?: ToolClass;
  /** Returns what the model is shown, or asks the user; a thrown error becomes an error result, as in the real one. */
  readonly run: (input: Record<string, unknown>, context: ToolContext) => Promise<Output> | Output;
}

type Output = string | { readonly asks: string };

export interface ToolContext {
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
  /** What the user answered, as JSON text; undefined when nobody was asked. */
  readonly answer: string | undefined;
}

export interface MemoryToolHostDeps {
  readonly ids: IdGenerator;
  readonly timers: Timers;
  readonly tools: readonly MemoryTool[];
}

/** Tool-host in memory: opens a span for each call, tells of progress, stops when it is aborted, and keeps a ledger. */
export class MemoryToolHost implements ToolHost {
  /** What happened, in order: `begin read`, `end read`, `stop read`, `find write`. */
  readonly log: string[] = [];
  readonly executions: ToolExecution[] = [];
  /** How often its tools were listed. */
  listed = 0;
  /** True while nobody reaches it. */
  isAway = false;
  /** Dispatches below it are refused. */
  fence = 0n;
  /** What happens to a call before it is executed; throws what a lost connection would. */
  beforeExecute: (execution: ToolExecution) => void = () => undefined;
  readonly ledger = new MemoryLedger();
  readonly #deps: MemoryToolHostDeps;
  #connection = new AbortController();
  #process = new AbortController();

  constructor(deps: MemoryToolHostDeps) {
    this.#deps = deps;
  }

  /** Cuts all connections; what is executed goes on. */
  cut(): void {
    this.#connection.abort(toolHostUnavailable(true));
    this.#connection = new AbortController();
  }

  /** Dies with all that it executes, and is away. */
  crash(): void {
    this.isAway = true;
    this.ledger.loseAll();
    this.#process.abort(toolHostUnavailable(true));
    this.#process = new AbortController();
    this.cut();
  }

  async list(_run: RunScope, _span: ExecSpanContext): Promise<readonly Tool[]> {
    this.listed += 1;
    return this.#deps.tools.map(({ name, effect, toolClass = 'files' }) => testTool({ name, effect, toolClass }));
  }

  async find({ run, call }: SoughtExecution, waitMs: number, signal: AbortSignal): Promise<FoundExecution> {
    this.#admit(run);
    this.log.push(`find ${call.tool}`);
    return untilAborted(this.ledger.wait(call.callId, waitMs, this.#deps.timers, signal), this.#connection.signal);
  }

  async execute(execution: ToolExecution, emit: (event: RunEvent) => void, signal: AbortSignal): Promise<ToolAnswer> {
    const { run, call, answer } = execution;
    this.executions.push(execution);
    this.#admit(run);
    this.beforeExecute(execution);
    const tool = this.#deps.tools.find(({ name }) => name === call.tool);
    const isKept = tool !== undefined && tool.effect !== 'read-only';
    const found = this.ledger.find(call.callId);
    if (isKept && found.state === 'done') {
      return { kind: 'result', result: found.result };
    }
    if (isKept && found.state === 'suspended' && found.interrupt.id !== answer?.interruptId) {
      return { kind: 'suspended', interrupt: found.interrupt };
    }
    if (isKept) {
      this.ledger.begin(call.callId);
    }
    const connection = this.#connection.signal;
    const running = this.#run(execution, tool, emit, AbortSignal.any([signal, this.#process.signal]));
    if (isKept) {
      void running.then(
        (ended) => this.ledger.end(call.callId, ended),
        () => this.ledger.lose(call.callId),
      );
    } else {
      return untilAborted(
        running.then((given) => this.#keepAsked(execution, given)),
        connection,
      );
    }
    return untilAborted(running, connection);
  }

  /** What only reads is kept when it asks the user: whoever executes it again is told the same. */
  #keepAsked({ call, answer }: ToolExecution, given: ToolAnswer): ToolAnswer {
    const found = this.ledger.find(call.callId);
    if (given.kind === 'result') {
      return given;
    }
    if (found.state === 'suspended' && found.interrupt.id !== answer?.interruptId) {
      return { kind: 'suspended', interrupt: found.interrupt };
    }
    this.ledger.begin(call.callId);
    this.ledger.end(call.callId, given);
    return given;
  }

  async #run(
    { call, span: parent, answer }: ToolExecution,
    tool: MemoryTool | undefined,
    emit: (event: RunEvent) => void,
    signal: AbortSignal,
  ): Promise<ToolAnswer> {
    const { callId } = call;
    const span = { id: this.#deps.ids.spanId(), par: parent.span.id };
    const say = (data: RunEvent['data']) => emit({ span, time: eventTime(0), data });
    const end = (status: number, errorType = '') =>
      say({ case: 'spanEnd', value: { status, errorType, attributes: {} } });
    const name = `execute_tool ${call.tool}`;
    const value = { kind: spanKind.tool, name, traceId: parent.traceId, attributes: {}, service: 'tool-host' };
    say({ case: 'spanStart', value });
    this.log.push(`begin ${call.tool}`);
    try {
      const progress = (message: string) =>
        say({ case: 'toolProgress', value: { callId, progress: 1, total: 2, message } });
      const input = JSON.parse(call.argumentsJson) as Record<string, unknown>;
      const context = { signal, progress, answer: answer?.answerJson };
      const output = await untilAborted(Promise.resolve(tool?.run(input, context) ?? ''), signal);
      end(spanStatus.ok);
      if (typeof output !== 'string') {
        this.log.push(`ask ${call.tool}`);
        return { kind: 'suspended', interrupt: this.#interrupt(callId, output.asks) };
      }
      this.log.push(`end ${call.tool}`);
      return { kind: 'result', result: result(callId, toolOutcome.ok, output) };
    } catch (error) {
      if (signal.aborted) {
        // The connection is gone: nobody hears how the span ended.
        this.log.push(`stop ${call.tool}`);
        throw error;
      }
      end(spanStatus.error, 'TOOL_FAILED');
      this.log.push(`fail ${call.tool}`);
      return { kind: 'result', result: result(callId, toolOutcome.error, String(error)) };
    }
  }

  #admit({ epoch }: RunScope): void {
    if (epoch < this.fence) {
      throw new DomainError('aborted', 'FENCED', 'Another dispatch took the run over.');
    }
    if (this.isAway) {
      throw toolHostUnavailable(false);
    }
  }

  #interrupt(callId: string, message: string): Interrupt {
    return { id: this.#deps.ids.uuid(), kind: 1, callId, message, schemaJson: '' };
  }
}

function result(callId: string, outcome: ToolResultPart['outcome'], text: string): ToolResultPart {
  return { callId, outcome, content: [{ content: { case: 'text', value: text } }], structuredJson: '', code: '' };
}

async function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  // Whoever stops to wait leaves it to itself.
  promise.catch(() => undefined);
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return Promise.race([promise, aborted]);
}
