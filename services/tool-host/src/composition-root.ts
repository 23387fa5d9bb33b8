import { ToolHostService } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { type Clock, type IdGenerator, randomIds, systemClock } from '@spanwise/kernel';
import {
  createInternalTransport,
  forwardedAuthenticate,
  internalMaxStreams,
  type RunningService,
  serve,
} from '@spanwise/service-kit';
import { createLogger, type Logger, Telemetry } from '@spanwise/telemetry';
import { toolHostServiceHandler } from './api/tool-host-service-handler.ts';
import { ExecuteTool } from './application/execute-tool.ts';
import type { ToolHostConfig } from './config.ts';
import { ReadVersions } from './domain/files/read-versions.ts';
import type { Tool } from './domain/tool/tool.ts';
import { ToolCatalog } from './domain/tool/tool-catalog.ts';
import { checkFileSystem } from './infrastructure/clients/check-file-system.ts';
import { ConnectRunFiles } from './infrastructure/clients/connect-run-files.ts';
import { callSpans } from './infrastructure/telemetry/call-spans.ts';
import { builtInTools } from './infrastructure/tools/built-in-tools.ts';

/** What replaces the real thing, in tests or where several services share it. The service does not dispose of them. */
export interface ToolHostOverrides {
  readonly telemetry?: Telemetry;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly ids?: IdGenerator;
  readonly tools?: readonly Tool[];
}

/** A tool host that serves. */
export interface ToolHostRunningService extends RunningService {
  /** `http://host:port`. */
  readonly url: string;
}

const serviceName = 'tool-host';

/** Wires and starts tool-host. Dispose of it to stop it. */
export async function createToolHostService(
  config: ToolHostConfig,
  overrides: ToolHostOverrides = {},
): Promise<ToolHostRunningService> {
  await using resources = new AsyncDisposableStack();
  const telemetry =
    overrides.telemetry ?? resources.use(new Telemetry({ service: serviceName, env: config.telemetry ?? {} }));
  const logger = overrides.logger ?? createLogger({ service: serviceName, level: config.logLevel });
  const clock = overrides.clock ?? systemClock;
  const ids = overrides.ids ?? randomIds();

  const tools = new ToolCatalog(overrides.tools ?? builtInTools);
  const transport = resources.use(createInternalTransport({ baseUrl: config.filesystemUrl, telemetry }));
  const executeTool = new ExecuteTool({
    tools,
    files: new ConnectRunFiles(transport),
    reads: new ReadVersions(),
    startSpans: callSpans({ ids, clock }),
    clock,
    logOf: ({ runId, callId, span }) => logger.child({ run_id: runId, call_id: callId, trace_id: span.traceId }),
  });

  const server = resources.use(
    await serve({
      host: config.host,
      port: config.port,
      services: [ToolHostService],
      routes: (router) => router.service(ToolHostService, toolHostServiceHandler({ tools, executeTool })),
      authenticate: forwardedAuthenticate(),
      trustsTraceparent: true,
      telemetry,
      logger,
      checkReady: checkFileSystem(transport, ids),
      limits: { maxStreams: internalMaxStreams },
    }),
  );
  const owned = resources.move();
  return { server, url: server.url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
