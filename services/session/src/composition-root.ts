import type { Transport } from '@connectrpc/connect';
import { SessionPeerService } from '@spanwise/contracts/spanwise/session/v1/peer';
import { SessionService } from '@spanwise/contracts/spanwise/session/v1/session';
import { brandId, type Clock, type IdGenerator, type RunId, randomIds, systemClock } from '@spanwise/kernel';
import { type CancelBus, InProcessCancelBus, NatsCancelBus } from '@spanwise/messaging';
import { type OpenDatabase, openDatabase } from '@spanwise/persistence';
import {
  type Authenticate,
  createInternalTransport,
  insecureDevAuthenticate,
  jwtAuthenticate,
  type RunningService,
  reachableUrl,
  serve,
} from '@spanwise/service-kit';
import { createLogger, type Logger, Telemetry } from '@spanwise/telemetry';
import { authenticatePeers } from './api/peer-authentication.ts';
import { type SessionPeerUseCases, sessionPeerServiceHandler } from './api/session-peer-service-handler.ts';
import { sessionServiceHandler } from './api/session-service-handler.ts';
import { AnnounceCancel } from './application/announce-cancel.ts';
import { announceReleased } from './application/announce-released.ts';
import { AnswerInterrupt } from './application/answer-interrupt.ts';
import { CancelRun } from './application/cancel-run.ts';
import { Disconnects } from './application/disconnects.ts';
import { DriveRun } from './application/drive-run.ts';
import { Lease } from './application/lease.ts';
import { ManageSessions } from './application/manage-sessions.ts';
import { startPolls } from './application/polls.ts';
import { ReadLog } from './application/read-log.ts';
import { ReadRuns } from './application/read-runs.ts';
import { RemoteTails } from './application/remote-tails.ts';
import { Retain, retainEvery } from './application/retain.ts';
import { RunDrivers } from './application/run-drivers.ts';
import { RunSession } from './application/run-session.ts';
import { SessionHub } from './application/session-hub.ts';
import { StartRun } from './application/start-run.ts';
import { TailSession } from './application/tail-session.ts';
import { TakeOver } from './application/take-over.ts';
import { startWatchPolls } from './application/watch-polls.ts';
import { WatchSession } from './application/watch-session.ts';
import type { AuthConfig, SessionConfig } from './config.ts';
import { AesTokenSeal } from './infrastructure/aes-token-seal.ts';
import { toAgentError } from './infrastructure/agent-errors.ts';
import { ConnectAgentRuntime } from './infrastructure/clients/connect-agent-runtime.ts';
import { ConnectFences } from './infrastructure/clients/connect-fences.ts';
import { ConnectPeers } from './infrastructure/clients/connect-peers.ts';
import { ConnectRunFiles } from './infrastructure/clients/connect-run-files.ts';
import { ConnectSessionData } from './infrastructure/clients/connect-session-data.ts';
import { protoMessageCodec } from './infrastructure/codec/proto-message-codec.ts';
import { HmacPageTokens } from './infrastructure/hmac-page-tokens.ts';
import { HmacPeerProof } from './infrastructure/hmac-peer-proof.ts';
import { catchUpReport, lostLeaseReport } from './infrastructure/logger-process-reports.ts';
import { loggerRunReports } from './infrastructure/logger-run-reports.ts';
import { busCancelSignal } from './infrastructure/messaging/bus-cancel-signal.ts';
import type { StoreOptions } from './infrastructure/persistence/append-statements.ts';
import { migrations } from './infrastructure/persistence/migrations.ts';
import { MikroOrmRunRepository } from './infrastructure/persistence/mikro-orm-run-repository.ts';
import { MikroOrmSessionRepository } from './infrastructure/persistence/mikro-orm-session-repository.ts';
import { RunRecord, SessionRecord } from './infrastructure/persistence/records.ts';
import { SqlEventLog } from './infrastructure/persistence/sql-event-log.ts';
import { SqlInstanceRepository } from './infrastructure/persistence/sql-instance-repository.ts';
import { SqlInterruptRepository } from './infrastructure/persistence/sql-interrupt-repository.ts';
import { SqlLlmContext } from './infrastructure/persistence/sql-llm-context.ts';
import { SqlRetentionRepository } from './infrastructure/persistence/sql-retention-repository.ts';
import { telemetrySpanExporter } from './infrastructure/telemetry-span-exporter.ts';

/** What tests and the one-process stack replace. */
export interface SessionOverrides {
  /** Not closed by the service. */
  readonly cancelBus?: CancelBus;
  readonly authenticate?: Authenticate;
  readonly telemetry?: Telemetry;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly ids?: IdGenerator;
}

/** Opens the database of the session service; also what the migration step uses. */
export function openSessionDatabase(config: SessionConfig): Promise<OpenDatabase> {
  return openDatabase({
    url: config.databaseUrl,
    entities: [SessionRecord, RunRecord],
    migrations,
    service: 'session',
    poolSize: config.databasePoolSize,
    synchronous: config.sqliteSync,
  });
}

const dayMs = 24 * 3_600_000;

/** How long a turn may go on after SIGTERM before its run is handed over. */
const turnGraceMs = 20_000;

/** Starts the session service. Disposing it lets go of its runs and closes everything that it opened. */
export async function createSessionService(
  config: SessionConfig,
  overrides: SessionOverrides = {},
): Promise<RunningService> {
  await using resources = new AsyncDisposableStack();
  const logger = overrides.logger ?? createLogger({ service: 'session', level: config.logLevel });
  const telemetry = resources.use(overrides.telemetry ?? new Telemetry({ service: 'session', env: config.telemetry }));
  const database = resources.use(await openSessionDatabase(config));
  if (config.migratesAtStart) {
    await database.migrate();
  }
  const bus = overrides.cancelBus ?? resources.use(cancelBusOf(config));
  let ownUrl = config.advertisedUrl;
  const parts = { database, telemetry, bus, logger, address: () => ownUrl };
  const wired = wire(config, overrides, parts, resources);
  const { useCases, peerUseCases, proof, hub, drivers, lease, instances, polls, takeOver, onError } = wired;
  resources.use(bus.listen(({ runId }) => drivers.cancel(brandId<RunId>(runId))));
  const server = await serve({
    host: config.host,
    port: config.port,
    services: [SessionService, SessionPeerService],
    routes: (router) => {
      router.service(SessionService, sessionServiceHandler(useCases));
      router.service(SessionPeerService, sessionPeerServiceHandler(peerUseCases));
    },
    authenticate: authenticatePeers(
      (each) => proof.verifies(each),
      overrides.authenticate ?? authenticateBy(config.auth),
    ),
    trustsTraceparent: false,
    telemetry,
    logger,
    checkReady: () => database.checkReady(),
  });
  resources.use(server);
  ownUrl ||= reachableUrl(config.host, server);
  await lease.begin();
  if (config.isAlone) {
    // Nobody else uses the database: whoever had runs before is dead.
    await instances.removeOthers(lease.id);
    await takeOver.execute();
  }
  for (const start of polls) {
    resources.use(start());
  }
  const owned = resources.move();
  return {
    server,
    drain: async () => {
      // Without it the others only send a few things in vain.
      await (lease.isHeld ? instances.drain(lease.id).catch(onError) : undefined);
      hub.drain();
      // Its streams have ended, and its other calls are short: clients go to another replica from now on.
      server.goAway();
      await drivers.leave(turnGraceMs);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface Parts {
  readonly database: OpenDatabase;
  readonly telemetry: Telemetry;
  readonly bus: CancelBus;
  readonly logger: Logger;
  readonly address: () => string;
}

function wire(config: SessionConfig, overrides: SessionOverrides, parts: Parts, resources: AsyncDisposableStack) {
  const { database, telemetry, address } = parts;
  const clock = overrides.clock ?? systemClock;
  const ids = overrides.ids ?? randomIds(() => clock.nowMs());
  const without = config.testWithout;
  const reports = loggerRunReports(parts.logger);
  const { sessions, runs, interrupts, instances, log, context } = storesOf(database, clock, {
    without,
    onRecognised: (position) => reports.recognised(position),
  });
  const hub = new SessionHub({}, catchUpReport(parts.logger));
  const spans = telemetrySpanExporter(telemetry);
  const [codec, tokens] = [protoMessageCodec, new AesTokenSeal(config.tokenKeys)];
  const [pageTokens, signal] = [new HmacPageTokens(config.pageTokenKey), busCancelSignal(parts.bus)];
  const onError = (error: unknown) => reports.pollFailed(error);
  const onLost = lostLeaseReport(parts.logger, () => drivers.loseAll());
  const lease = resources.use(leaseOf(config, { instances, address, newId: () => ids.uuid(), clock, onLost, onError }));
  const instanceId = () => lease.id;
  const transport = (baseUrl: string) => resources.use(createInternalTransport({ baseUrl, telemetry }));
  const proof = new HmacPeerProof(config.pageTokenKey, clock);
  const peers = resources.use(new ConnectPeers({ telemetry, sign: () => proof.sign() }));
  const tails = resources.use(new RemoteTails({ hub, peers, ownId: () => (lease.isHeld ? lease.id : ''), onError }));
  const transports = Array.from({ length: config.runtimeConnections }, () => transport(config.runtimeUrl));
  const driveRun = new DriveRun({
    runtime: new ConnectAgentRuntime(transports, ids),
    fences: new ConnectFences(transport(config.toolHostUrl), transport(config.filesystemUrl), ids),
    runFiles: new ConnectRunFiles(transport(config.filesystemUrl)),
    ...{ runs, log, context, hub, spans, codec, tokens, clock, ids, toAgentError, reports, instanceId, without },
    nextOwnerId: () => (drivers.isLeaving || !lease.isHeld ? undefined : lease.id),
    announceReleased: announceReleased({ instances, peers, reports, instanceId }),
  });
  const drivers: RunDrivers = resources.use(new RunDrivers(driveRun, tokens));
  const takeOver = new TakeOver({
    ...{ runs, drivers, reports, clock, instanceId, without },
    staleLeaseMs: config.leaseMs - 2 * config.leaseRenewMs,
  });
  const announceCancel = new AnnounceCancel({ runs, instances, drivers, takeOver, signal, peers, hub, reports });
  const startRun = new StartRun({ runs, codec, spans, clock, ids, instanceId, drivers, announceCancel, tokens });
  const cancelRun = new CancelRun({ sessions, runs, announceCancel, clock });
  const disconnects = resources.use(new Disconnects({ runs, onError }));
  const { cancelPollMs: ownRunsMs, takeOverMs } = config;
  const useCases = {
    manageSessions: new ManageSessions({ sessions, announceCancel, pageTokens, clock, ids }),
    startRun,
    runSession: new RunSession({ startRun, cancelRun, sessions, runs, log, hub, disconnects }),
    watchSession: new WatchSession({ sessions, runs, log, hub }),
    cancelRun,
    answerInterrupt: new AnswerInterrupt({ sessions, runs, interrupts, takeOver, tokens, clock }),
    readRuns: new ReadRuns({ sessions, runs, interrupts, pageTokens }),
    readLog: new ReadLog({ sessions, runs, log, context, pageTokens }),
  };
  const peerUseCases = peerUseCasesOf(hub, drivers, takeOver, onError);
  const retain = retainOf(config, database, clock, transport, onError);
  const polls = [
    () => startPolls({ runs, drivers, takeOver, instanceId, ownRunsMs, takeOverMs, onError }),
    () => startWatchPolls({ hub, instances, tails, logPollMs: config.logPollMs, onError }),
    () => retainEvery(config.retainEveryMs, retain, onError),
  ];
  return { useCases, peerUseCases, proof, hub, drivers, lease, instances, polls, takeOver, onError };
}

function leaseOf(
  { leaseMs, leaseRenewMs, selfFenceMs }: SessionConfig,
  deps: Omit<ConstructorParameters<typeof Lease>[0], 'leaseMs' | 'renewMs' | 'selfFenceMs'>,
): Lease {
  return new Lease({ ...deps, leaseMs, renewMs: leaseRenewMs, selfFenceMs });
}

function peerUseCasesOf(
  hub: SessionHub,
  drivers: RunDrivers,
  takeOver: TakeOver,
  onError: (error: unknown) => void,
): SessionPeerUseCases {
  return {
    tailSession: new TailSession({ hub }),
    cancel: (runId) => drivers.cancel(runId),
    released: () => void takeOver.execute().catch(onError),
  };
}

function storesOf(database: OpenDatabase, clock: Clock, options: StoreOptions) {
  return {
    sessions: new MikroOrmSessionRepository(database),
    runs: new MikroOrmRunRepository(database, options),
    interrupts: new SqlInterruptRepository(database.sql),
    instances: new SqlInstanceRepository(database.urgent),
    log: new SqlEventLog(database.sql, clock, options),
    context: new SqlLlmContext(database.sql),
  };
}

/** One look at what is not to be kept, as a step of its own; says what it threw away. */
export async function retainOnce(config: SessionConfig): Promise<void> {
  await using resources = new AsyncDisposableStack();
  const telemetry = resources.use(new Telemetry({ service: 'session', env: {} }));
  const database = resources.use(await openSessionDatabase(config));
  const transport = (baseUrl: string) => resources.use(createInternalTransport({ baseUrl, telemetry }));
  const errors: unknown[] = [];
  const retain = retainOf(config, database, systemClock, transport, (error) => void errors.push(error));
  const { trimmedSessions, trimmedEvents, purgedSessions } = await retain.execute(new AbortController().signal);
  process.stdout.write(
    `Trimmed ${trimmedEvents} events of ${trimmedSessions} sessions. Purged ${purgedSessions} sessions.\n`,
  );
  for (const error of errors) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

function retainOf(
  { retainEvents: maxEvents, retainDays, purgeDays, toolHostUrl, filesystemUrl }: SessionConfig,
  { sql }: OpenDatabase,
  clock: Clock,
  transport: (baseUrl: string) => Transport,
  onError: (error: unknown) => void,
): Retain {
  const policy = { maxEvents, maxAgeMs: retainDays === undefined ? undefined : retainDays * dayMs };
  const data = new ConnectSessionData(transport(toolHostUrl), transport(filesystemUrl), randomIds());
  const retention = new SqlRetentionRepository(sql);
  return new Retain({ retention, data, clock, policy, purgeAfterMs: purgeDays * dayMs, onError });
}

function cancelBusOf({ natsUrl }: SessionConfig): CancelBus {
  return natsUrl === '' ? new InProcessCancelBus() : new NatsCancelBus({ url: natsUrl, name: 'spanwise-session' });
}

function authenticateBy(auth: AuthConfig): Authenticate {
  return auth.kind === 'insecure-dev'
    ? insecureDevAuthenticate()
    : jwtAuthenticate({ jwks: new URL(auth.jwksUrl), issuer: auth.issuer, audience: auth.audience });
}
