import { randomBytes } from 'node:crypto';
import { badSetting, type Environment, EnvironmentReader } from '@spanwise/service-kit';
import type { TelemetryEnvironment } from '@spanwise/telemetry';

/** Settings of the session service. Read once; see README.md for each. */
export interface SessionConfig {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** `mysql://…` or `sqlite:path`. */
  readonly databaseUrl: string;
  readonly databasePoolSize: number;
  readonly sqliteSync: 'normal' | 'full';
  /** Migrates the schema at start; off by default with MySQL, where it is a step of the deployment. */
  readonly migratesAtStart: boolean;
  /** True for SQLite: no other process uses the database, so runs found unfinished at start have lost their driver. */
  readonly isAlone: boolean;
  readonly runtimeUrl: string;
  /** Connections to the runtime over which runs are spread. */
  readonly runtimeConnections: number;
  /** Empty = an in-process bus, which reaches only this process. */
  readonly natsUrl: string;
  readonly auth: AuthConfig;
  /** Signs page tokens; the same for all replicas. */
  readonly pageTokenKey: string;
  readonly logLevel: string;
  readonly cancelPollMs: number;
  readonly logPollMs: number;
  /** `OTEL_*` variables; without them nothing is exported. */
  readonly telemetry: TelemetryEnvironment;
}

export type AuthConfig =
  | { readonly kind: 'insecure-dev' }
  | { readonly kind: 'jwt'; readonly jwksUrl: string; readonly issuer: string; readonly audience: string };

/** Reads the settings. Throws, naming the variable, when one can not be used. */
export function readSessionConfig(env: Environment = process.env): SessionConfig {
  const reader = new EnvironmentReader(env);
  const databaseUrl = reader.text('SPANWISE_DATABASE_URL', 'sqlite:./.spanwise/session.db');
  const isSqlite = databaseUrl.startsWith('sqlite:');
  const host = reader.text('SPANWISE_HOST', '127.0.0.1');
  const migrate = reader.choice('SPANWISE_MIGRATE', ['auto', 'always', 'never'], 'auto');
  return Object.freeze({
    host,
    port: reader.integer('SPANWISE_PORT', 7001, { min: 0, max: 65_535 }),
    databaseUrl,
    databasePoolSize: reader.integer('SPANWISE_DATABASE_POOL', 10, { min: 1, max: 1000 }),
    sqliteSync: reader.choice('SPANWISE_SQLITE_SYNC', ['normal', 'full'], 'normal'),
    migratesAtStart: migrate === 'always' || (migrate === 'auto' && isSqlite),
    isAlone: isSqlite,
    runtimeUrl: reader.url('SPANWISE_RUNTIME_URL', 'http://127.0.0.1:7002'),
    runtimeConnections: reader.integer('SPANWISE_RUNTIME_CONNECTIONS', 4, { min: 1, max: 64 }),
    natsUrl: reader.text('SPANWISE_NATS_URL', ''),
    auth: readAuth(reader, host, env.NODE_ENV),
    pageTokenKey: reader.optional('SPANWISE_PAGE_TOKEN_KEY') ?? ownKey(isSqlite),
    logLevel: reader.text('SPANWISE_LOG_LEVEL', 'info'),
    cancelPollMs: reader.integer('SPANWISE_CANCEL_POLL_MS', 1000, { min: 50, max: 60_000 }),
    logPollMs: reader.integer('SPANWISE_LOG_POLL_MS', 250, { min: 20, max: 60_000 }),
    telemetry: Object.freeze(Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('OTEL_')))),
  });
}

function readAuth(reader: EnvironmentReader, host: string, nodeEnv: string | undefined): AuthConfig {
  if (reader.choice('SPANWISE_AUTH', ['insecure-dev', 'jwt'], 'insecure-dev') === 'jwt') {
    return {
      kind: 'jwt',
      jwksUrl: required(reader, 'SPANWISE_JWKS_URL'),
      issuer: required(reader, 'SPANWISE_JWT_ISSUER'),
      audience: required(reader, 'SPANWISE_JWT_AUDIENCE'),
    };
  }
  assertMayTrustHeaders(host, nodeEnv);
  return { kind: 'insecure-dev' };
}

/** Believing the `uid` header is for a developer's own machine. */
export function assertMayTrustHeaders(host: string, nodeEnv: string | undefined): void {
  const isLoopback = host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
  if (!isLoopback || nodeEnv === 'production') {
    throw badSetting('SPANWISE_AUTH', 'must be jwt unless SPANWISE_HOST is a loopback address outside of production');
  }
}

function required(reader: EnvironmentReader, name: string): string {
  const value = reader.optional(name);
  if (value === undefined) {
    throw badSetting(name, 'must be set when SPANWISE_AUTH is jwt');
  }
  return value;
}

/** A process with a database of its own may make a key for its lifetime; replicas that share one need the same. */
function ownKey(isSqlite: boolean): string {
  if (!isSqlite) {
    throw badSetting('SPANWISE_PAGE_TOKEN_KEY', 'must be set, the same for all replicas');
  }
  return randomBytes(32).toString('hex');
}
