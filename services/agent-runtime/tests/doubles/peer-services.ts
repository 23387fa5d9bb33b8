import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { HandlerContext } from '@connectrpc/connect';
import { type AgentEventSchema, SpanKind, SpanStatus } from '@spanwise/contracts/spanwise/event/v1/event';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import {
  type ExecuteToolRequest,
  type ExecuteToolResponseSchema,
  ToolEffect,
  ToolHostService,
  ToolSchema,
} from '@spanwise/contracts/spanwise/tool/v1/tool';
import { ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { callContextKey, forwardedAuthenticate, type RunningServer, serve } from '@spanwise/service-kit';
import { silentLogger, Telemetry } from '@spanwise/telemetry';

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
  readonly server: RunningServer;
  readonly calls: readonly PeerCall[];
  readonly executions: readonly ExecuteToolRequest[];
  /** Names of the tools whose call was cancelled by the runtime. */
  readonly cancelled: readonly string[];
  /** Resolves when a tool of that name has begun. */
  begun(tool: string): Promise<void>;
  /** Resolves when a call of that name was cancelled. */
  stopped(tool: string): Promise<void>;
}

type Response = MessageInitShape<typeof ExecuteToolResponseSchema>;

/** `read` answers, `hang` never does, `die` cuts the connection in the middle of a call. */
const effects = { read: ToolEffect.READ_ONLY, hang: ToolEffect.NON_REPEATABLE, die: ToolEffect.NON_REPEATABLE };

export async function startPeerServices(): Promise<PeerServices> {
  const calls: PeerCall[] = [];
  const executions: ExecuteToolRequest[] = [];
  const cancelled: string[] = [];
  const begun = signals();
  const stopped = signals();
  const telemetry = new Telemetry({ service: 'peers', env: {} });

  function note(name: string, { values }: HandlerContext): void {
    const { identity, span } = values.get(callContextKey);
    calls.push({ name, uid: identity?.uid, token: identity?.token, parent: span?.span.id });
  }

  async function* execute(request: ExecuteToolRequest, context: HandlerContext): AsyncGenerator<Response> {
    note('executeTool', context);
    executions.push(request);
    const { callId, tool } = request;
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
    if (tool === 'die') {
      void server.stop(0);
    }
    if (tool !== 'read') {
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
      cancelled.push(tool);
      stopped.set(tool);
      return;
    }
    yield { events: [say({ case: 'toolProgress', value: { callId, progress: 1, total: 1, message: 'read' } })] };
    yield {
      events: [say({ case: 'spanEnd', value: { status: SpanStatus.OK } })],
      result: { callId, outcome: ToolOutcome.OK, content: [{ content: { case: 'text', value: 'what is in it' } }] },
    };
  }

  const server: RunningServer = await serve({
    host: '127.0.0.1',
    port: 0,
    services: [ToolHostService, FileSystemService],
    routes(router) {
      router.service(ToolHostService, {
        listTools(_, context) {
          note('listTools', context);
          const tools = Object.entries(effects).map(([tool, effect]) =>
            create(ToolSchema, {
              name: tool,
              description: `Does ${tool}.`,
              inputSchemaJson: '{"type":"object"}',
              effect,
            }),
          );
          return { tools };
        },
        executeTool: execute,
      });
      router.service(FileSystemService, {
        openView(request, context) {
          note(`openView ${request.viewId}`, context);
          return {};
        },
      });
    },
    authenticate: forwardedAuthenticate(),
    trustsTraceparent: true,
    telemetry,
    logger: silentLogger,
  });
  return {
    server,
    calls,
    executions,
    cancelled,
    begun: (tool) => begun.get(tool),
    stopped: (tool) => stopped.get(tool),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await telemetry[Symbol.asyncDispose]();
    },
  };
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
