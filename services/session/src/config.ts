import { randomBytes } from 'node:crypto';
import { badSetting, type Environment, EnvironmentReader } from '@spanwise/service-kit';
import type { TelemetryEnvironment } from '@spanwise/telemetry';
import { type RunGuard, runGuards } from './domain/run/guards.ts';
import { tokenKeyBytes } from './infrastructure/aes-token-seal.ts';

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
  /** Seal the tokens of users that are kept with their runs, the first one what is new; none = tokens are not kept. */
  readonly tokenKeys: readonly Uint8Array[];
  readonly logLevel: string;
  /** Tool-host and filesystem, for fences and purges. */
  readonly toolHostUrl: string;
  readonly filesystemUrl: string;
  /** Base URL at which the other replicas reach this one; empty = its own host and port. */
  readonly advertisedUrl: string;
  /** How long a lease runs without being renewed, and how often it is renewed. */
  readonly leaseMs: number;
  readonly leaseRenewMs: number;
  /** Time without a renewal after which this process takes its runs as lost. */
  readonly selfFenceMs: number;
  /** How often runs that nobody drives are looked for. */
  readonly takeOverMs: number;
  /** Newest events of a session that are kept, and days for which those of ended runs are; undefined = all, for ever. */
  readonly retainEvents: number | undefined;
  readonly retainDays: number | undefined;
  /** Days after which a deleted session is removed for good. */
  readonly purgeDays: number;
  /** How often what is not to be kept is thrown away; 0 = never, it is a step of the operator (`main.ts retain`). */
  readonly retainEveryMs: number;
  readonly cancelPollMs: number;
  readonly logPollMs: number;
  /** Guards that a test takes away, to show what they are for; refused in production. */
  readonly testWithout: ReadonlySet<RunGuard>;
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
  const leaseMs = reader.integer('SPANWISE_LEASE_MS', 15_000, { min: 500, max: 600_000 });
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
    tokenKeys: readTokenKeys(reader),
    logLevel: reader.text('SPANWISE_LOG_LEVEL', 'info'),
    toolHostUrl: reader.url('SPANWISE_TOOL_HOST_URL', 'http://127.0.0.1:7003'),
    filesystemUrl: reader.url('SPANWISE_FILESYSTEM_URL', 'http://127.0.0.1:7004'),
    advertisedUrl: reader.optional('SPANWISE_ADVERTISED_URL') ?? '',
    leaseMs,
    leaseRenewMs: reader.integer('SPANWISE_LEASE_RENEW_MS', Math.floor(leaseMs / 5), { min: 100, max: leaseMs }),
    selfFenceMs: reader.integer('SPANWISE_SELF_FENCE_MS', Math.floor((leaseMs * 3) / 5), { min: 100, max: leaseMs }),
    takeOverMs: reader.integer('SPANWISE_TAKE_OVER_MS', 2000, { min: 50, max: 60_000 }),
    retainEvents: reader.integer('SPANWISE_RETAIN_EVENTS', 100_000, { min: 0, max: 1e9 }) || undefined,
    retainDays: reader.integer('SPANWISE_RETAIN_DAYS', 0, { min: 0, max: 36_500 }) || undefined,
    purgeDays: reader.integer('SPANWISE_PURGE_DAYS', 30, { min: 0, max: 36_500 }),
    retainEveryMs: reader.integer('SPANWISE_RETAIN_EVERY_MS', 3_600_000, { min: 0, max: 86_400_000 }),
    cancelPollMs: reader.integer('SPANWISE_CANCEL_POLL_MS', 1000, { min: 50, max: 60_000 }),
    logPollMs: reader.integer('SPANWISE_LOG_POLL_MS', 1000, { min: 20, max: 60_000 }),
    testWithout: readTestWithout(reader, env.NODE_ENV),
    telemetry: Object.freeze(Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('OTEL_')))),
  });
}

function readTestWithout(reader: EnvironmentReader, nodeEnv: string | undefined): ReadonlySet<RunGuard> {
  const name = 'SPANWISE_TEST_WITHOUT';
  const named = reader.text(name, '').split(',').filter(Boolean);
  if (named.length > 0 && nodeEnv === 'production') {
    throw badSetting(name, 'must not be set in production');
  }
  // Other services have guards of their own: a name that is not known here is one of theirs.
  return new Set(named.filter((guard): guard is RunGuard => guard in runGuards));
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

function readTokenKeys(reader: EnvironmentReader): readonly Uint8Array[] {
  const name = 'SPANWISE_TOKEN_KEY';
  const texts = (reader.optional(name) ?? '').split(',').filter(Boolean);
  return texts.map((text) => {
    const key = Buffer.from(text, 'base64');
    if (key.length !== tokenKeyBytes || key.toString('base64') !== text) {
      throw badSetting(name, `must be ${tokenKeyBytes} bytes in base64, or several with commas between them`);
    }
    return key;
  });
}

/** A process with a database of its own may make a key for its lifetime; replicas that share one need the same. */
function ownKey(isSqlite: boolean): string {
  if (!isSqlite) {
    throw badSetting('SPANWISE_PAGE_TOKEN_KEY', 'must be set, the same for all replicas');
  }
  return randomBytes(32).toString('hex');
}
