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
  serve,
} from '@spanwise/service-kit';
import { createLogger, type Logger, Telemetry } from '@spanwise/telemetry';
import { sessionServiceHandler } from './api/session-service-handler.ts';
import { CancelRun } from './application/cancel-run.ts';
import { Disconnects } from './application/disconnects.ts';
import { DriveRun } from './application/drive-run.ts';
import { EndOrphans } from './application/end-orphans.ts';
import { LostRuns } from './application/lost-runs.ts';
import { ManageSessions } from './application/manage-sessions.ts';
import { startPolls } from './application/polls.ts';
import { ReadLog } from './application/read-log.ts';
import { ReadRuns } from './application/read-runs.ts';
import { RunDrivers } from './application/run-drivers.ts';
import { RunSession } from './application/run-session.ts';
import { SessionHub } from './application/session-hub.ts';
import { StartRun } from './application/start-run.ts';
import { WatchSession } from './application/watch-session.ts';
import type { AuthConfig, SessionConfig } from './config.ts';
import type { Run } from './domain/run/run.ts';
import { toAgentError } from './infrastructure/agent-errors.ts';
import { ConnectAgentRuntime } from './infrastructure/clients/connect-agent-runtime.ts';
import { protoMessageCodec } from './infrastructure/codec/proto-message-codec.ts';
import { HmacPageTokens } from './infrastructure/hmac-page-tokens.ts';
import { busCancelSignal } from './infrastructure/messaging/bus-cancel-signal.ts';
import { migrations } from './infrastructure/persistence/migrations.ts';
import { MikroOrmRunRepository } from './infrastructure/persistence/mikro-orm-run-repository.ts';
import { MikroOrmSessionRepository } from './infrastructure/persistence/mikro-orm-session-repository.ts';
import { RunRecord, SessionRecord } from './infrastructure/persistence/records.ts';
import { SqlEventLog } from './infrastructure/persistence/sql-event-log.ts';
import { SqlLlmContext } from './infrastructure/persistence/sql-llm-context.ts';
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

/** Starts the session service. Disposing it ends its runs as failed and closes everything that it opened. */
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
  const { useCases, drivers, endOrphans } = wire(config, overrides, { database, telemetry, bus, logger }, resources);
  if (config.isAlone) {
    await endOrphans.execute();
  }
  resources.use(bus.listen(({ runId }) => drivers.cancel(brandId<RunId>(runId))));
  const server = await serve({
    host: config.host,
    port: config.port,
    services: [SessionService],
    routes: (router) => router.service(SessionService, sessionServiceHandler(useCases)),
    authenticate: overrides.authenticate ?? authenticateBy(config.auth),
    trustsTraceparent: false,
    telemetry,
    logger,
    checkReady: () => database.checkReady(),
  });
  resources.use(server);
  const owned = resources.move();
  return { server, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

interface Parts {
  readonly database: OpenDatabase;
  readonly telemetry: Telemetry;
  readonly bus: CancelBus;
  readonly logger: Logger;
}

function wire(config: SessionConfig, overrides: SessionOverrides, parts: Parts, resources: AsyncDisposableStack) {
  const { database, telemetry, logger } = parts;
  const clock = overrides.clock ?? systemClock;
  const ids = overrides.ids ?? randomIds(() => clock.nowMs());
  const instanceId = ids.uuid();
  const sessions = new MikroOrmSessionRepository(database);
  const runs = new MikroOrmRunRepository(database);
  const log = new SqlEventLog(database.sql, clock);
  const context = new SqlLlmContext(database.sql);
  const hub = new SessionHub();
  const spans = telemetrySpanExporter(telemetry);
  const codec = protoMessageCodec;
  const pageTokens = new HmacPageTokens(config.pageTokenKey);
  const signal = busCancelSignal(parts.bus);
  const transports = Array.from({ length: config.runtimeConnections }, () =>
    resources.use(createInternalTransport({ baseUrl: config.runtimeUrl, telemetry })),
  );
  const report = ({ id, sessionId }: Run, error?: unknown) =>
    logger.warn({ run_id: id, session_id: sessionId, err: error }, 'a run had lost its driver');
  const endOrphans = new EndOrphans({ runs, log, hub, spans, codec, clock, ids, instanceId, toAgentError, report });
  const lost = new LostRuns(endOrphans, instanceId);
  const driveRun = new DriveRun({
    runtime: new ConnectAgentRuntime(transports),
    runs,
    log,
    context,
    hub,
    spans,
    codec,
    clock,
    ids,
    toAgentError,
    onLost: (run, error) => {
      logger.error({ run_id: run.id, session_id: run.sessionId, err: error }, 'run lost');
      lost.note(run, error);
    },
  });
  const drivers = resources.use(new RunDrivers(driveRun));
  const drive = drivers.drive.bind(drivers);
  const startRun = new StartRun({ runs, codec, spans, clock, ids, instanceId, drive });
  const cancelRun = new CancelRun({ sessions, runs, drivers, signal, clock });
  const disconnects = resources.use(new Disconnects());
  const { cancelPollMs, logPollMs } = config;
  const onError = (error: unknown) => logger.warn({ err: error }, 'poll failed');
  resources.use(
    startPolls({ runs, log, hub, drivers, instanceId, endLost: () => lost.end(), cancelPollMs, logPollMs, onError }),
  );
  const useCases = {
    manageSessions: new ManageSessions({ sessions, drivers, cancelSignal: signal, pageTokens, clock, ids }),
    startRun,
    runSession: new RunSession({ startRun, cancelRun, sessions, log, hub, disconnects }),
    watchSession: new WatchSession({ sessions, runs, log, hub }),
    cancelRun,
    readRuns: new ReadRuns({ sessions, runs, pageTokens }),
    readLog: new ReadLog({ sessions, runs, log, context, pageTokens }),
  };
  return { useCases, drivers, endOrphans };
}

function cancelBusOf({ natsUrl }: SessionConfig): CancelBus {
  return natsUrl === '' ? new InProcessCancelBus() : new NatsCancelBus({ url: natsUrl, name: 'spanwise-session' });
}

function authenticateBy(auth: AuthConfig): Authenticate {
  return auth.kind === 'insecure-dev'
    ? insecureDevAuthenticate()
    : jwtAuthenticate({ jwks: new URL(auth.jwksUrl), issuer: auth.issuer, audience: auth.audience });
}
