import type { HandlerContext } from '@connectrpc/connect';
import type { CallToolRequest } from '@spanwise/contracts/spanwise/tool/v1/provider';
import {
  brandId,
  type CallId,
  DomainError,
  type ExecSpanContext,
  type IdGenerator,
  type RunId,
  type SessionId,
  systemClock,
} from '@spanwise/kernel';
import { callContextKey, requireIdentity } from '@spanwise/service-kit';
import type { Logger } from '@spanwise/telemetry';
import type { ProviderTool, ToolOutput, ToolSuspension } from '../contract/tool.ts';
import type { ProviderToolContext } from '../contract/tool-context.ts';
import { MessageQueue } from './message-queue.ts';
import { argumentsUnfit, shuttingDown, toolChanged, toolNotServed, userMismatch } from './provider-errors.ts';
import { type CallMessage, toAnswer, toLastMessage } from './provider-mapping.ts';

export interface ProviderCallsDeps {
  readonly tools: readonly ProviderTool[];
  readonly ids: IdGenerator;
  readonly logger: Logger;
}

/** The calls of a provider: those that go on are waited for when it stops. */
export class ProviderCalls {
  readonly #tools: ReadonlyMap<string, ProviderTool>;
  readonly #deps: ProviderCallsDeps;
  readonly #live = new Set<Promise<unknown>>();
  #isStopping = false;

  constructor(deps: ProviderCallsDeps) {
    this.#deps = deps;
    this.#tools = new Map(deps.tools.map((tool) => [tool.name, tool]));
  }

  /** From now on every call is refused with SHUTTING_DOWN; resolves when those that go on have ended. */
  async drain(): Promise<void> {
    this.#isStopping = true;
    while (this.#live.size > 0) {
      await Promise.allSettled(this.#live);
    }
  }

  /**
   * One call: `started`, what the tool tells, and its end. Before `started` it throws SHUTTING_DOWN, TOOL_NOT_FOUND,
   * TOOL_CHANGED, IDENTITY_MISMATCH, UNAUTHENTICATED and INVALID_FIELD; after it what is a bug of the tool, and the reason of
   * the signal.
   */
  async *call(request: CallToolRequest, context: HandlerContext): AsyncGenerator<CallMessage> {
    const tool = this.#admit(request, context);
    const input = inputOf(tool, request);
    const queue = new MessageQueue();
    const over = new AbortController();
    const signal = AbortSignal.any([context.signal, over.signal]);
    const begin = this.#announce(context.signal);
    yield { message: { case: 'started', value: {} } };
    context.signal.throwIfAborted();
    const work = this.#follow(execute(tool, input, this.#contextOf(request, tool, { context, signal, queue })));
    begin();
    const ended = untilAborted(work, context.signal).finally(() => {
      over.abort();
      queue.close();
    });
    // Rejects while messages are read, and is awaited only then.
    ended.catch(() => undefined);
    try {
      yield* queue.read();
      yield toLastMessage(tool.name, await ended);
    } finally {
      over.abort();
    }
  }

  #admit(request: CallToolRequest, context: HandlerContext): ProviderTool {
    if (this.#isStopping) {
      throw shuttingDown();
    }
    if (requireIdentity(context).uid !== request.uid) {
      throw userMismatch();
    }
    const tool = this.#tools.get(request.tool);
    if (tool === undefined) {
      throw toolNotServed(request.tool);
    }
    if (tool.version !== request.version) {
      throw toolChanged(tool.name, tool.version);
    }
    return tool;
  }

  /** Has a drain wait for a call that is admitted and not executed yet; call what it returns when it is. */
  #announce(signal: AbortSignal): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve(), { once: true });
    void this.#follow(promise);
    return resolve;
  }

  #follow<Result>(work: Promise<Result>): Promise<Result> {
    this.#live.add(work);
    const forget = () => void this.#live.delete(work);
    work.then(forget, forget);
    return work;
  }

  #contextOf(
    request: CallToolRequest,
    { limits }: ProviderTool,
    { context, signal, queue }: Told,
  ): ProviderToolContext {
    const { sessionId, runId, callId, idempotencyKey } = request;
    const span = context.values.get(callContextKey).span ?? this.#newTrace();
    const limitMs = Math.min(context.timeoutMs() ?? limits.timeoutMs, limits.timeoutMs);
    return {
      call: {
        uid: requireIdentity(context).uid,
        sessionId: brandId<SessionId>(sessionId),
        runId: brandId<RunId>(runId),
        callId: brandId<CallId>(callId),
      },
      ...{ span, signal, idempotencyKey },
      deadlineMs: systemClock.nowMs() + limitMs,
      answer: toAnswer(request),
      progress: (progress) => queue.progress(progress),
      output: (text) => queue.output(text),
      log: this.#deps.logger.child({ run_id: runId, call_id: callId, trace_id: span.traceId }),
    };
  }

  /** For a caller that tells no trace. */
  #newTrace(): ExecSpanContext {
    const { ids } = this.#deps;
    return { span: { id: ids.spanId(), par: '' }, traceId: ids.traceId(), traceFlags: 0 };
  }
}

interface Told {
  readonly context: HandlerContext;
  readonly signal: AbortSignal;
  readonly queue: MessageQueue;
}

/** Checks once more, which also applies the defaults of the schema. */
function inputOf(tool: ProviderTool, { argumentsJson }: CallToolRequest): unknown {
  let value: unknown;
  try {
    value = JSON.parse(argumentsJson);
  } catch {
    throw argumentsUnfit([{ path: [], kind: 'bad-value', problem: 'They are no JSON.' }]);
  }
  const parsed = tool.input.parse(value);
  if (!parsed.isValid) {
    throw argumentsUnfit(parsed.issues);
  }
  return parsed.input;
}

/** A failure that the tool tells in its own words is a result: only so does tool-host know that the call has ended. */
async function execute(
  tool: ProviderTool,
  input: unknown,
  context: ProviderToolContext,
): Promise<ToolOutput | ToolSuspension> {
  try {
    return await tool.execute(input, context);
  } catch (error) {
    if (error instanceof DomainError && error.kind !== 'internal' && !context.signal.aborted) {
      return { text: error.message, isError: true, code: error.reason };
    }
    throw error;
  }
}

/** The same, but ends with the signal: the tool may not listen to it. */
function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  work.then(resolve, reject);
  return promise.finally(() => signal.removeEventListener('abort', abort));
}
