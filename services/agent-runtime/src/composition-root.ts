import { AgentRuntimeService } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { type Clock, type IdGenerator, randomIds, systemClock } from '@spanwise/kernel';
import { NatsCancelBus } from '@spanwise/messaging';
import {
  createInternalTransport,
  forwardedAuthenticate,
  internalMaxStreams,
  type RunningServer,
  type RunningService,
  serve,
} from '@spanwise/service-kit';
import { attribute, createLogger, type Logger, Telemetry } from '@spanwise/telemetry';
import { agentRuntimeServiceHandler } from './api/agent-runtime-service-handler.ts';
import { AskModel } from './application/ask-model.ts';
import { Drain } from './application/drain.ts';
import { ExecuteCall } from './application/execute-call.ts';
import { ExecuteCalls } from './application/execute-calls.ts';
import { HeldRuns } from './application/held-runs.ts';
import { LeftExecutions } from './application/left-executions.ts';
import type { CancelListener } from './application/ports/cancel-listener.ts';
import { stallLimits } from './application/read-parts.ts';
import { retryLimits } from './application/retry-policy.ts';
import { RunAgent } from './application/run-agent.ts';
import { TakeTurn } from './application/take-turn.ts';
import type { AgentRuntimeConfig } from './config.ts';
import type { AgentCatalog } from './domain/agent/agent.ts';
import type { ModelProvider } from './domain/model/model-provider.ts';
import { loadYamlAgents } from './infrastructure/agents/yaml-agent-catalog.ts';
import { ConnectToolHost } from './infrastructure/clients/connect-tool-host.ts';
import { ConnectViews } from './infrastructure/clients/connect-views.ts';
import { loggerRunReports } from './infrastructure/logger-run-reports.ts';
import { busCancelListener } from './infrastructure/messaging/bus-cancel-listener.ts';
import { createModelProviders } from './infrastructure/model-providers/create-model-providers.ts';
import { systemTimers } from './infrastructure/system-timers.ts';

/** What a test or an embedding process replaces. */
export interface AgentRuntimeOverrides {
  /** Where cancels are heard, instead of the broker of `config.natsUrl`. */
  readonly cancelListener?: CancelListener;
  /** Instead of those of `config.model`; the first serves every model that names no other as in `scripted:demo`. */
  readonly modelProviders?: readonly ModelProvider[];
  readonly clock?: Clock;
  readonly ids?: IdGenerator;
  /** 0 to 1; the jitter of retries. */
  readonly random?: () => number;
  readonly logger?: Logger;
  /** Shared with other services of the process; then it is theirs to end. */
  readonly telemetry?: Telemetry;
}

/** Bytes of one message of the Run stream either way. */
const maxMessageBytes = 16 * 1024 * 1024;
const service = 'agent-runtime';

/** Starts the service. Throws when the agents can not be loaded or the port is taken. */
export async function createAgentRuntimeService(
  config: AgentRuntimeConfig,
  overrides: AgentRuntimeOverrides = {},
): Promise<RunningService> {
  await using resources = new AsyncDisposableStack();
  const logger = overrides.logger ?? createLogger({ service, level: config.logLevel });
  const telemetry = overrides.telemetry ?? resources.use(new Telemetry({ service, env: config.otel }));
  const agents = await loadYamlAgents({ folder: config.agentsDir, model: config.model.name });
  const heldRuns = new HeldRuns();
  const cancelListener = overrides.cancelListener ?? brokerListener(config, resources);
  if (cancelListener !== undefined) {
    resources.use(await cancelListener.listen((runId) => heldRuns.cancel(runId)));
  }
  const leftExecutions = new LeftExecutions();
  const modelProviders = overrides.modelProviders ?? (await loadModelProviders(config, overrides, logger));
  const parts = { logger, telemetry, agents, resources, leftExecutions, modelProviders };
  const runAgent = createRunAgent(config, overrides, parts);
  const handler = agentRuntimeServiceHandler({ agents, runAgent, heldRuns, timers: systemTimers });
  const server = await serve({
    host: config.host,
    port: config.port,
    services: [AgentRuntimeService],
    routes: (router) => router.service(AgentRuntimeService, handler),
    authenticate: forwardedAuthenticate(),
    trustsTraceparent: true,
    telemetry,
    logger,
    limits: { maxStreams: internalMaxStreams, readMaxBytes: maxMessageBytes, writeMaxBytes: maxMessageBytes },
  });
  resources.use(server);
  const draining = new Drain({ heldRuns, leftExecutions, timers: systemTimers, graceMs: config.drainMs });
  let drained: Promise<void> | undefined;
  const drain = () => (drained ??= draining.execute());
  // Disposed of before the server, which would end the streams of the runs.
  resources.defer(drain);
  const held = resources.move();
  return {
    server: refusingRuns(server, heldRuns),
    drain,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** The broker's cancels; undefined without a broker: then cancels come over the Run stream only. */
function brokerListener({ natsUrl }: AgentRuntimeConfig, resources: AsyncDisposableStack): CancelListener | undefined {
  return natsUrl === undefined
    ? undefined
    : busCancelListener(resources.use(new NatsCancelBus({ url: natsUrl, name: service })));
}

function loadModelProviders(
  { model }: AgentRuntimeConfig,
  { clock = systemClock, ids = randomIds() }: AgentRuntimeOverrides,
  logger: Logger,
): Promise<readonly ModelProvider[]> {
  const reportLost = (err: unknown) => logger.warn({ err }, 'a recording of a model could not be written');
  return createModelProviders(model, { clock, ids, folder: process.cwd(), reportLost });
}

interface RunAgentParts {
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  readonly agents: AgentCatalog;
  readonly leftExecutions: LeftExecutions;
  readonly modelProviders: readonly ModelProvider[];
  /** Ends the connections to other services. */
  readonly resources: AsyncDisposableStack;
}

function createRunAgent(
  config: AgentRuntimeConfig,
  overrides: AgentRuntimeOverrides,
  { logger, telemetry, agents, resources, leftExecutions, modelProviders }: RunAgentParts,
): RunAgent {
  const { clock = systemClock, ids = randomIds(), random = Math.random } = overrides;
  const timers = systemTimers;
  const transportTo = (baseUrl: string) => resources.use(createInternalTransport({ baseUrl, telemetry }));
  const toolHost = new ConnectToolHost({ transport: transportTo(config.toolHostUrl), clock });
  const askModel = new AskModel({ ids, clock, timers, random, attribute, stallLimits, retryLimits });
  const executeCall = new ExecuteCall({ toolHost, leftExecutions, clock, timers });
  return new RunAgent({
    agents,
    modelProviders,
    toolHost,
    views: new ConnectViews({ transport: transportTo(config.filesystemUrl) }),
    takeTurn: new TakeTurn({ askModel, executeCalls: new ExecuteCalls({ executeCall }), attribute, ids }),
    attribute,
    reports: loggerRunReports(logger),
    ids,
    clock,
    timers,
  });
}

/** The server, whose drain and stop also let no new run in on connections that are open. */
function refusingRuns(server: RunningServer, heldRuns: HeldRuns): RunningServer {
  return {
    url: server.url,
    port: server.port,
    drain() {
      heldRuns.close();
      server.drain();
    },
    goAway: () => server.goAway(),
    stop(graceMs) {
      heldRuns.close();
      return server.stop(graceMs);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
