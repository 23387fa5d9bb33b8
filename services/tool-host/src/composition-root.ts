import type { Transport } from '@connectrpc/connect';
import { ToolHostService } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { GuardedEgress } from '@spanwise/egress';
import { type Clock, type IdGenerator, randomIds, systemClock } from '@spanwise/kernel';
import { type OpenDatabase, openDatabase } from '@spanwise/persistence';
import {
  createInternalTransport,
  forwardedAuthenticate,
  internalMaxStreams,
  type RunningService,
  reachableUrl,
  serve,
} from '@spanwise/service-kit';
import { createLogger, type Logger, Telemetry } from '@spanwise/telemetry';
import type { Tool } from '@spanwise/tool-kit/contract';
import { type ToolHostServiceDeps, toolHostServiceHandler } from './api/tool-host-service-handler.ts';
import { AuditCalls } from './application/audit-calls.ts';
import { CallRecords } from './application/call-records.ts';
import { CallSlots } from './application/call-slots.ts';
import { DeleteSessionData } from './application/delete-session-data.ts';
import { drainCalls } from './application/drain-calls.ts';
import { ExecuteTool } from './application/execute-tool.ts';
import { FenceSession } from './application/fence-session.ts';
import { GetExecution } from './application/get-execution.ts';
import { giveUpMs, KeepLease } from './application/keep-lease.ts';
import { LiveCalls } from './application/live-calls.ts';
import { retainAudit } from './application/retain-audit.ts';
import { WriteTurns } from './application/write-turns.ts';
import type { ToolHostConfig } from './config.ts';
import { leaseLost } from './domain/execution/execution-errors.ts';
import { ReadVersions } from './domain/files/read-versions.ts';
import { Callers } from './domain/tool/callers.ts';
import { noEgress } from './domain/tool/no-egress.ts';
import { ToolCatalog } from './domain/tool/tool-catalog.ts';
import { noToolSources, type ToolSources } from './domain/tool/tool-source.ts';
import { checkFileSystem } from './infrastructure/clients/check-file-system.ts';
import { ConnectPeers } from './infrastructure/clients/connect-peers.ts';
import { ConnectRunFiles } from './infrastructure/clients/connect-run-files.ts';
import { openMcpServers } from './infrastructure/mcp/open-mcp-servers.ts';
import { migrations } from './infrastructure/persistence/migrations.ts';
import { SqlAuditLog } from './infrastructure/persistence/sql-audit-log.ts';
import { SqlInstanceRepository } from './infrastructure/persistence/sql-instance-repository.ts';
import { SqlLedger } from './infrastructure/persistence/sql-ledger.ts';
import { SqlRemoteQuestions } from './infrastructure/persistence/sql-remote-questions.ts';
import { SqlToolPins } from './infrastructure/persistence/sql-tool-pins.ts';
import { ProviderSource } from './infrastructure/providers/provider-source.ts';
import { createSandbox } from './infrastructure/sandbox/create-sandbox.ts';
import { callMetrics } from './infrastructure/telemetry/call-metrics.ts';
import { callSpans } from './infrastructure/telemetry/call-spans.ts';
import { bashTool } from './infrastructure/tools/bash.ts';
import { builtInTools } from './infrastructure/tools/built-in-tools.ts';
import { loadTools } from './infrastructure/tools/load-tools.ts';

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
  /** Takes no further calls, and resolves when those that go on have ended, by themselves or because their time is up. */
  readonly drain: () => Promise<void>;
}

const serviceName = 'tool-host';
/** Tools of one user that are at work at once in this process. */
const callsPerUser = 64;
/** Time for open streams to end once no call goes on any more. */
const graceMs = 1000;

/** Opens the database of tool-host; also what the migration step uses. */
export function openToolHostDatabase(config: ToolHostConfig): Promise<OpenDatabase> {
  return openDatabase({
    url: config.databaseUrl,
    entities: [],
    migrations,
    service: 'tool_host',
    poolSize: config.databasePoolSize,
    synchronous: config.sqliteSync,
  });
}

/** Deletes what is old in the audit, as a step of its own; says how much. */
export async function retainOnce(config: ToolHostConfig): Promise<void> {
  await using database = await openToolHostDatabase(config);
  const removed = await retainAudit(new SqlAuditLog(database.sql), config.auditDays);
  process.stdout.write(`Deleted ${removed} lines of the audit.\n`);
}

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
  const database = resources.use(await openToolHostDatabase(config));
  if (config.migratesAtStart) {
    await database.migrate();
  }
  const connect = (baseUrl: string) => createInternalTransport({ baseUrl, telemetry });
  const files = resources.use(connect(config.filesystemUrl));
  const peers = resources.use(new ConnectPeers(connect));
  const shell = overrides.tools === undefined ? shellTools(config, { resources, logger, clock }) : [];
  const tools = await toolsOf(config, overrides.tools ?? [...builtInTools, ...shell]);
  const providers = config.toolProviders.map(({ name, url }) =>
    resources.use(new ProviderSource({ name, transport: connect(url), clock, ids, logger }).start()),
  );
  const callers = new Callers();
  const servers = await toolServersOf(config, { resources, database, callers, logger, clock });
  const sources = () => [...providers, ...servers()];
  const parts = { tools, sources, callers, database, files, peers, telemetry, logger, clock, ids };
  const { lease, live, deps } = wire(config, parts);
  resources.use(lease);

  const checkFiles = checkFileSystem(files, ids);
  const server = await serve({
    host: config.host,
    port: config.port,
    services: [ToolHostService],
    routes: (router) => router.service(ToolHostService, toolHostServiceHandler(deps)),
    authenticate: forwardedAuthenticate(),
    trustsTraceparent: true,
    telemetry,
    logger,
    checkReady: async () => void (await Promise.all([checkFiles(), database.checkReady()])),
    limits: { maxStreams: internalMaxStreams },
  });
  const drain = () => drainCalls(live, config.drainMs);
  resources.defer(async () => {
    // GetExecution and Fence are answered until what goes on has ended.
    server.drain();
    await drain();
    await server.stop(graceMs);
  });
  await lease.start(config.advertisedUrl ?? reachableUrl(config.host, server));
  const owned = resources.move();
  return { server, url: server.url, drain, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

interface Parts {
  /** Of this process. */
  readonly tools: readonly Tool[];
  readonly sources: ToolSources;
  readonly callers: Callers;
  readonly database: OpenDatabase;
  /** To the file service. */
  readonly files: Transport;
  readonly peers: ConnectPeers;
  readonly telemetry: Telemetry;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ids: IdGenerator;
}

function wire(config: ToolHostConfig, parts: Parts) {
  const { database, peers, logger, clock, ids } = parts;
  const { leaseMs, leaseRenewMs: renewMs, isAlone, stopMs, askExpiryMs } = config;
  const instances = new SqlInstanceRepository(database.urgent);
  const ledger = new SqlLedger(database.sql);
  const audit = new AuditCalls({
    audit: new SqlAuditLog(database.sql),
    ids,
    onFailure: ({ runId, callId }, error) =>
      logger.error({ run_id: runId, call_id: callId, err: error }, 'call not audited'),
  });
  const live = new LiveCalls();
  const records = new CallRecords({
    ledger,
    clock,
    outageMs: giveUpMs(leaseMs),
    onFailure: ({ runId, callId }, error) =>
      logger.error({ run_id: runId, call_id: callId, err: error }, 'call not recorded'),
  });
  const lease = new KeepLease({
    ...{ instances, ids, clock, leaseMs, renewMs, isAlone },
    onLost: () => {
      logger.error({}, 'lease lost');
      live.stopLedgered(leaseLost());
    },
    onRenewed: () => void records.flush(),
    onError: (error) => logger.warn({ err: error }, 'lease not renewed'),
  });
  const tools = new ToolCatalog(guarded(parts.tools, config), parts.sources);
  const executeTool = new ExecuteTool({
    ...{ tools, ledger, records, audit, live, clock, ids, askExpiryMs, instance: lease },
    files: new ConnectRunFiles(parts.files),
    reads: new ReadVersions(),
    egress: config.egressAllow === undefined ? noEgress : new GuardedEgress({ allow: config.egressAllow }),
    callers: parts.callers,
    slots: new CallSlots(callsPerUser),
    turns: new WriteTurns(),
    startSpans: callSpans({ ids, clock }),
    metrics: callMetrics({ meter: parts.telemetry.meter, clock, isTool: (name, uid) => tools.has(name, uid) }),
    logOf: ({ runId, callId, span }) => logger.child({ run_id: runId, call_id: callId, trace_id: span.traceId }),
  });
  const fenceSession = new FenceSession({ ledger, instances, live, peers, instance: lease, stopMs });
  const deps: ToolHostServiceDeps = {
    ...{ tools, executeTool, fenceSession },
    getExecution: new GetExecution({ ledger, live, clock }),
    deleteSessionData: new DeleteSessionData({ ledger, fenceSession }),
  };
  return { lease, live, deps };
}

/** `bash`, unless it is off; its sandbox ends with the service. */
function shellTools(
  { sandbox: level, sandboxSlots: slots }: ToolHostConfig,
  { resources, logger, clock }: Pick<Parts, 'logger' | 'clock'> & { readonly resources: AsyncDisposableStack },
): readonly Tool[] {
  return level === 'off'
    ? []
    : [bashTool({ sandbox: resources.use(createSandbox({ level, slots, log: logger })), clock })];
}

/** The servers of the operator's file. They come and go with it, and nobody waits for them. */
async function toolServersOf(
  { toolServers }: ToolHostConfig,
  parts: Pick<Parts, 'database' | 'callers' | 'logger' | 'clock'> & { readonly resources: AsyncDisposableStack },
): Promise<ToolSources> {
  if (toolServers === undefined) {
    return noToolSources;
  }
  const { database, callers, logger: log, clock } = parts;
  const pins = new SqlToolPins(database.sql);
  const questions = new SqlRemoteQuestions(database.sql);
  const servers = await openMcpServers({ ...toolServers, pins, questions, callers, log, clock });
  parts.resources.use(servers);
  return () => servers.sources();
}

/** Those that every host has, and those that the operator adds. */
async function toolsOf({ toolModules: modules }: ToolHostConfig, tools: readonly Tool[]): Promise<readonly Tool[]> {
  const taken = tools.map(({ name }) => name);
  return [...tools, ...(await loadTools({ modules, folder: process.cwd(), taken }))];
}

/** Without the guard nonRepeatableAtMostOnce, for a test that shows what it is for, every tool may be executed again. */
function guarded(tools: readonly Tool[], { testWithout }: ToolHostConfig): readonly Tool[] {
  return testWithout?.has('nonRepeatableAtMostOnce') === true
    ? tools.map((tool) => ({ ...tool, effect: tool.effect === 'READ_ONLY' ? tool.effect : 'IDEMPOTENT' }))
    : tools;
}
