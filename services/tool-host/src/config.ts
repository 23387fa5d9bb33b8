import { badSetting, type Environment, EnvironmentReader } from '@spanwise/service-kit';
import type { TelemetryEnvironment } from '@spanwise/telemetry';

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** Settings of tool-host; may also be made by code. */
export interface ToolHostConfig {
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on; 0 = any free one. */
  readonly port: number;
  /** Where FileSystemService is, for example `http://127.0.0.1:7004`. */
  readonly filesystemUrl: string;
  /** `mysql://…` or `sqlite:path`. */
  readonly databaseUrl: string;
  readonly databasePoolSize: number;
  readonly sqliteSync: 'normal' | 'full';
  /** Migrates the schema at start; off by default with MySQL, where it is a step of the deployment. */
  readonly migratesAtStart: boolean;
  /** True for SQLite: no other process uses the database, so what is found unfinished at start is lost. */
  readonly isAlone: boolean;
  /** Base URL at which other replicas reach this one; undefined = the address that it listens on, or that of the machine. */
  readonly advertisedUrl: string | undefined;
  /** How long others wait for this process before they take what it executes for lost. */
  readonly leaseMs: number;
  readonly leaseRenewMs: number;
  /** How long a call waits for the user. */
  readonly askExpiryMs: number;
  /** How long calls may go on after the service was told to stop. */
  readonly drainMs: number;
  /** How long a tool may take to stop at a fence. */
  readonly stopMs: number;
  /** Guards that a test takes away, to show what they are for; refused in production. */
  readonly testWithout?: ReadonlySet<string>;
  readonly logLevel: (typeof logLevels)[number];
  /** `OTEL_*` variables; without them nothing is exported. */
  readonly telemetry?: TelemetryEnvironment;
}

/**
 * Reads the settings from environment variables:
 *
 * - `SPANWISE_HOST` address to listen on; default `127.0.0.1`
 * - `SPANWISE_PORT` port to listen on, 0 to 65535; default 7003
 * - `SPANWISE_FILESYSTEM_URL` where FileSystemService is; default `http://127.0.0.1:7004`
 * - `SPANWISE_DATABASE_URL` `mysql://…` or `sqlite:path`; default `sqlite:./.spanwise/tool-host.db`
 * - `SPANWISE_DATABASE_POOL` connections to MySQL; default 10
 * - `SPANWISE_SQLITE_SYNC` `normal` (default) survives a killed process, `full` a power cut
 * - `SPANWISE_MIGRATE` `auto` (default: with SQLite only), `always` or `never` migrates at start
 * - `SPANWISE_ADVERTISED_URL` where other replicas reach this one; default the address that it listens
 *   on, or the first of the machine when it listens on all
 * - `SPANWISE_LEASE_MS` after which silence others take this process for dead; default 15000
 * - `SPANWISE_LEASE_RENEW_MS` how often it says that it lives; default 3000
 * - `SPANWISE_ASK_EXPIRY_MS` how long a call waits for the user; default 24 hours
 * - `SPANWISE_DRAIN_MS` how long calls may go on after SIGTERM; default 120000
 * - `SPANWISE_STOP_MS` how long a tool may take to stop at a fence; default 5000
 * - `SPANWISE_LOG_LEVEL` `debug`, `info` (default), `warn`, `error` or `silent`
 * - `OTEL_*` as OpenTelemetry has them
 *
 * Throws INVALID_FIELD with the name of a variable that can not be used.
 */
export function readToolHostConfig(env: Environment = process.env): ToolHostConfig {
  const reader = new EnvironmentReader(env);
  const databaseUrl = reader.text('SPANWISE_DATABASE_URL', 'sqlite:./.spanwise/tool-host.db');
  const isSqlite = databaseUrl.startsWith('sqlite:');
  const migrate = reader.choice('SPANWISE_MIGRATE', ['auto', 'always', 'never'], 'auto');
  return Object.freeze({
    host: reader.text('SPANWISE_HOST', '127.0.0.1'),
    port: reader.integer('SPANWISE_PORT', 7003, { min: 0, max: 65_535 }),
    filesystemUrl: reader.url('SPANWISE_FILESYSTEM_URL', 'http://127.0.0.1:7004'),
    databaseUrl,
    databasePoolSize: reader.integer('SPANWISE_DATABASE_POOL', 10, { min: 1, max: 1000 }),
    sqliteSync: reader.choice('SPANWISE_SQLITE_SYNC', ['normal', 'full'], 'normal'),
    migratesAtStart: migrate === 'always' || (migrate === 'auto' && isSqlite),
    isAlone: isSqlite,
    advertisedUrl: readAdvertisedUrl(reader),
    ...readLease(reader),
    askExpiryMs: reader.integer('SPANWISE_ASK_EXPIRY_MS', dayMs, { min: 1000, max: 365 * dayMs }),
    drainMs: reader.integer('SPANWISE_DRAIN_MS', 120_000, { min: 0, max: 3_600_000 }),
    stopMs: reader.integer('SPANWISE_STOP_MS', 5000, { min: 50, max: 60_000 }),
    ...readTestWithout(reader, env.NODE_ENV),
    logLevel: reader.choice('SPANWISE_LOG_LEVEL', logLevels, 'info'),
    telemetry: Object.freeze(Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('OTEL_')))),
  });
}

function readTestWithout(reader: EnvironmentReader, nodeEnv: string | undefined): Pick<ToolHostConfig, 'testWithout'> {
  const name = 'SPANWISE_TEST_WITHOUT';
  const named = reader.text(name, '').split(',').filter(Boolean);
  if (named.length > 0 && nodeEnv === 'production') {
    throw badSetting(name, 'must not be set in production');
  }
  return named.length === 0 ? {} : { testWithout: new Set(named) };
}

const dayMs = 24 * 60 * 60 * 1000;

function readAdvertisedUrl(reader: EnvironmentReader): string | undefined {
  const isSet = reader.optional('SPANWISE_ADVERTISED_URL') !== undefined;
  return isSet ? reader.url('SPANWISE_ADVERTISED_URL', '') : undefined;
}

/** Two renewals may fail before the holder gives a lease up, at 60 % of it. */
function readLease(reader: EnvironmentReader): { readonly leaseMs: number; readonly leaseRenewMs: number } {
  const leaseMs = reader.integer('SPANWISE_LEASE_MS', 15_000, { min: 300, max: 600_000 });
  const leaseRenewMs = reader.integer('SPANWISE_LEASE_RENEW_MS', 3000, { min: 50, max: 120_000 });
  if (leaseRenewMs * 3 > leaseMs) {
    throw badSetting('SPANWISE_LEASE_RENEW_MS', 'must be at most a third of SPANWISE_LEASE_MS');
  }
  return { leaseMs, leaseRenewMs };
}
