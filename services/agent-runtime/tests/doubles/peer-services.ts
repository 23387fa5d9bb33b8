import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { type AgentEventSchema, SpanKind, SpanStatus } from '@spanwise/contracts/spanwise/event/v1/event';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import {
  type ExecuteToolRequest,
  type ExecuteToolResponseSchema,
  ExecutionState,
  ToolClass,
  ToolEffect,
  ToolHostService,
  ToolSchema,
} from '@spanwise/contracts/spanwise/tool/v1/tool';
import { InterruptKind } from '@spanwise/contracts/spanwise/type/v1/interrupt';
import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { DomainError } from '@spanwise/kernel';
import { callContextKey, forwardedAuthenticate, serve } from '@spanwise/service-kit';
import { silentLogger, Telemetry } from '@spanwise/telemetry';
import { PeerLedger } from './peer-ledger.ts';

/** A call that came from the service under test, and for whom. */
export interface PeerCall {
  readonly name: string;
  readonly uid: string | undefined;
  readonly token: string | undefined;
  /** Span id that the caller says it is in. */
  readonly parent: string | undefined;
}

/** Tool-host and filesystem as the runtime sees them, on one real server. */
export interface PeerServices extends AsyncDisposable {
  /** Where both are; the same after a restart. */
  readonly url: string;
  readonly calls: readonly PeerCall[];
  readonly executions: readonly ExecuteToolRequest[];
  /** Names of the tools whose call was cancelled by the runtime. */
  readonly cancelled: readonly string[];
  /** Resolves when a tool of that name has begun. */
  begun(tool: string): Promise<void>;
  /** Resolves when a call of that name was cancelled. */
  stopped(tool: string): Promise<void>;
  /** Lets `slow` come to its end. */
  release(): void;
}

const interruptId = '00000000-0000-7000-8000-0000000000ee';

type Response = MessageInitShape<typeof ExecuteToolResponseSchema>;

/**
 * `read` answers, `hang` never does, `slow` when it is released; `die` and `retry` make the process die and start again in
 * the middle of their first call; `ask_user` waits for an answer and gives it back; `fenced` is refused, and `busy` four times.
 */
const effects = {
  ask_user: ToolEffect.IDEMPOTENT,
  busy: ToolEffect.READ_ONLY,
  die: ToolEffect.NON_REPEATABLE,
  fenced: ToolEffect.IDEMPOTENT,
  hang: ToolEffect.NON_REPEATABLE,
  read: ToolEffect.READ_ONLY,
  retry: ToolEffect.IDEMPOTENT,
  slow: ToolEffect.NON_REPEATABLE,
};

/** What every tool says of its output. */
export const shownInPart = { shownBytes: 14n, totalBytes: 99n, fullPath: '/tool-results/all.txt' };

export async function startPeerServices(): Promise<PeerServices> {
  const calls: PeerCall[] = [];
  const executions: ExecuteToolRequest[] = [];
  const cancelled: string[] = [];
  const begun = signals();
  const stopped = signals();
  const released = Promise.withResolvers<void>();
  const ledger = new PeerLedger();
  const died = new Set<string>();
  const telemetry = new Telemetry({ service: 'peers', env: {} });

  function note(name: string, { values }: HandlerContext): void {
    const { identity, span } = values.get(callContextKey);
    calls.push({ name, uid: identity?.uid, token: identity?.token, parent: span?.span.id });
  }

  async function* execute(request: ExecuteToolRequest, context: HandlerContext): AsyncGenerator<Response> {
    note('executeTool', context);
    executions.push(request);
    const { callId, tool } = request;
    if (tool === 'fenced') {
      throw new DomainError('aborted', 'FENCED', 'Another dispatch took the run over.');
    }
    const span = {
      id: context.requestHeader.get('traceparent')?.slice(36, 52) ?? '',
      par: request.span?.span?.id ?? '',
    };
    const say = (data: MessageInitShape<typeof AgentEventSchema>['data']) => ({
      span: { ...span, id: span.id.replace(/^./, 'f') },
      time: timestampFromMs(0),
      data,
    });
    const name = `execute_tool ${tool}`;
    const traceId = request.span?.traceId ?? '';
    yield { events: [say({ case: 'spanStart', value: { kind: SpanKind.TOOL, name, traceId, service: 'tool-host' } })] };
    begun.set(tool);
    if (tool === 'busy' && executions.filter((execution) => execution.callId === callId).length <= 4) {
      throw new DomainError('unavailable', 'DATABASE_UNAVAILABLE', 'The database is too busy.');
    }
    if (effects[tool as keyof typeof effects] !== ToolEffect.READ_ONLY) {
      ledger.begin(request);
    }
    const dies = (tool === 'die' || tool === 'retry') && !died.has(tool);
    if (dies) {
      died.add(tool);
      void restart();
    } else if (tool === 'slow') {
      await Promise.race([released.promise, aborted(context.signal)]);
    } else if (tool === 'ask_user' && request.answer === undefined) {
      const suspended = { id: interruptId, kind: InterruptKind.QUESTION, callId, message: 'Shall I?', schemaJson: '' };
      ledger.end(callId, { state: ExecutionState.SUSPENDED, suspended });
      yield { events: [say({ case: 'spanEnd', value: { status: SpanStatus.OK } })], suspended };
      return;
    }
    if (tool === 'hang' || context.signal.aborted || dies) {
      await aborted(context.signal);
      ledger.end(callId, { state: ExecutionState.UNKNOWN });
      cancelled.push(tool);
      stopped.set(tool);
      return;
    }
    const text = request.answer?.answerJson ?? 'what is in it';
    const content = [{ content: { case: 'text' as const, value: text } }];
    const result = { callId, outcome: ToolOutcome.OK, content, code: 'NOTED', truncated: shownInPart };
    ledger.end(callId, { state: ExecutionState.DONE, result });
    yield { events: [say({ case: 'toolProgress', value: { callId, progress: 1, total: 1, message: 'read' } })] };
    yield { events: [say({ case: 'spanEnd', value: { status: SpanStatus.OK } })], result };
  }

  const options = {
    host: '127.0.0.1',
    services: [ToolHostService, FileSystemService],
    routes(router: ConnectRouter) {
      router.service(ToolHostService, {
        listTools(_, context) {
          note('listTools', context);
          const tools = Object.entries(effects).map(([tool, effect]) =>
            create(ToolSchema, {
              name: tool,
              description: `Does ${tool}.`,
              inputSchemaJson: '{"type":"object"}',
              effect,
              toolClass: tool === 'ask_user' ? ToolClass.INTERACTION : ToolClass.FILES,
            }),
          );
          return { tools };
        },
        executeTool: execute,
        getExecution(request, context) {
          note('getExecution', context);
          return ledger.find(request, context.signal);
        },
      });
      router.service(FileSystemService, {
        openView(request, context) {
          note(`openView ${request.viewId}${request.runLayer ? ' with a layer' : ''}`, context);
          return {};
        },
      });
    },
    authenticate: forwardedAuthenticate(),
    trustsTraceparent: true,
    telemetry,
    logger: silentLogger,
  };
  let server = await serve({ ...options, port: 0 });

  async function restart(): Promise<void> {
    ledger.lose();
    await server.stop(0);
    server = await serve({ ...options, port: server.port });
  }

  return {
    url: server.url,
    calls,
    executions,
    cancelled,
    begun: (tool) => begun.get(tool),
    stopped: (tool) => stopped.get(tool),
    release: () => released.resolve(),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await telemetry[Symbol.asyncDispose]();
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  if (signal.aborted) {
    resolve();
  }
  return promise;
}

/** Things that happen once, by name. */
function signals() {
  const byName = new Map<string, PromiseWithResolvers<void>>();
  const of = (name: string) => {
    const signal = byName.get(name) ?? Promise.withResolvers<void>();
    byName.set(name, signal);
    return signal;
  };
  return { get: (name: string) => of(name).promise, set: (name: string) => of(name).resolve() };
}
