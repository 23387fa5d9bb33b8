import { setTimeout as delay } from 'node:timers/promises';
import { ToolProviderService } from '@spanwise/contracts/spanwise/tool/v1/provider';
import { randomIds } from '@spanwise/kernel';
import {
  type Authenticate,
  type Environment,
  EnvironmentReader,
  forwardedAuthenticate,
  internalMaxStreams,
  type RunningServer,
  serve,
} from '@spanwise/service-kit';
import { createLogger, type Logger, Telemetry } from '@spanwise/telemetry';
import type { ProviderTool } from '../contract/tool.ts';
import { ProviderCalls } from './provider-calls.ts';
import { toolsUnfit } from './provider-errors.ts';
import { toProvidedTool } from './provider-mapping.ts';

export interface ServeToolsOptions {
  /** Made with `defineProviderTool`. */
  readonly tools: readonly ProviderTool[];
  /** Port to listen on, 0 = any free one; default `SPANWISE_PORT`, else 7010. */
  readonly port?: number;
  /** Address to listen on; default `SPANWISE_HOST`, else `127.0.0.1`. */
  readonly host?: string;
  /** `service.name` in traces and log lines; default `tool-provider`. */
  readonly name?: string;
  /** How long calls may go on once the provider was told to stop; default `SPANWISE_DRAIN_MS`, else 30000. */
  readonly drainMs?: number;
  /** Whether SIGTERM and SIGINT stop it gracefully; default true. */
  readonly stopsOnSignals?: boolean;
  /** Resolves while the provider's own dependencies answer; health says NOT_SERVING while it rejects. Default: always fine. */
  readonly checkReady?: () => Promise<void>;
  /** Where settings come from, `SPANWISE_LOG_LEVEL` and `OTEL_*` among them; default `process.env`, where exporters look anyway. */
  readonly env?: Environment;
  /** Default: JSON lines on standard error. */
  readonly logger?: Logger;
}

/** Tools that are served. Disposing it ends it at once. */
export interface RunningProvider extends AsyncDisposable {
  /** `http://host:port`. */
  readonly url: string;
  readonly port: number;
  /** Takes no further calls (SHUTTING_DOWN), waits for those that go on, for `drainMs` at most, and ends. */
  stop(): Promise<void>;
}

/** Time for open streams to end once no call goes on any more. */
const graceMs = 1000;
const maxMessageBytes = 16 * 1024 * 1024;
const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/**
 * Serves tools as `spanwise.tool.v1.ToolProviderService`, with health, reflection and the traces of tool-host. Throws when
 * two tools have one name, when one was not made for it, and INVALID_FIELD when a setting can not be used.
 */
export async function serveTools(options: ServeToolsOptions): Promise<RunningProvider> {
  const { tools, name = 'tool-provider', env = process.env, checkReady } = options;
  assertServable(tools);
  const reader = new EnvironmentReader(env);
  const port = options.port ?? reader.integer('SPANWISE_PORT', 7010, { min: 0, max: 65_535 });
  const host = options.host ?? reader.text('SPANWISE_HOST', '127.0.0.1');
  const drainMs = options.drainMs ?? reader.integer('SPANWISE_DRAIN_MS', 30_000, { min: 0, max: 3_600_000 });
  const level = reader.choice('SPANWISE_LOG_LEVEL', logLevels, 'info');
  const logger = options.logger ?? createLogger({ service: name, level });
  const telemetry = new Telemetry({ service: name, env: telemetryEnvironment(env) });
  const calls = new ProviderCalls({ tools, ids: randomIds(), logger });
  const server = await serve({
    ...{ host, port, telemetry, logger },
    services: [ToolProviderService],
    routes: (router) =>
      router.service(ToolProviderService, {
        listTools: () => ({ tools: tools.map(toProvidedTool) }),
        callTool: (request, context) => calls.call(request, context),
      }),
    authenticate: ofToolHost(),
    trustsTraceparent: true,
    ...(checkReady === undefined ? {} : { checkReady }),
    limits: { maxStreams: internalMaxStreams, writeMaxBytes: maxMessageBytes },
  });
  return running({ server, calls, telemetry, drainMs }, options.stopsOnSignals ?? true);
}

interface Parts {
  readonly server: RunningServer;
  readonly calls: ProviderCalls;
  readonly telemetry: Telemetry;
  readonly drainMs: number;
}

function running({ server, calls, telemetry, drainMs }: Parts, stopsOnSignals: boolean): RunningProvider {
  let stopped: Promise<void> | undefined;
  const end = async (waitMs: number) => {
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
    server.drain();
    await Promise.race([calls.drain(), delay(waitMs, undefined, { ref: false })]);
    await server.stop(waitMs === 0 ? 0 : graceMs);
    await telemetry[Symbol.asyncDispose]();
  };
  const stop = (waitMs: number) => (stopped ??= end(waitMs));
  // A second signal finds no listener any more, and ends the process.
  const onSignal = () => void stop(drainMs);
  if (stopsOnSignals) {
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  }
  return {
    url: server.url,
    port: server.port,
    stop: () => stop(drainMs),
    [Symbol.asyncDispose]: () => stop(0),
  };
}

/** A call is made for a user, the list is not. */
function ofToolHost(): Authenticate {
  const forwarded = forwardedAuthenticate();
  return (headers) => (headers.has('uid') ? forwarded(headers) : undefined);
}

function telemetryEnvironment(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([variable]) => variable.startsWith('OTEL_')));
}

const namePattern = /^[a-zA-Z0-9_-]{1,62}$/;

function assertServable(tools: readonly ProviderTool[]): void {
  const names = new Set<string>();
  for (const tool of tools) {
    if (!namePattern.test(tool.name)) {
      throw toolsUnfit(`${JSON.stringify(tool.name)} is no name`);
    }
    if (names.has(tool.name)) {
      throw toolsUnfit(`two are called ${tool.name}`);
    }
    if (!tool.runsApart || 'targets' in tool) {
      throw toolsUnfit(`${tool.name} was not made with defineProviderTool`);
    }
    names.add(tool.name);
  }
}
