import { availableParallelism } from 'node:os';
import { parseAllowList } from '@spanwise/egress';
import { badSetting, type Environment, EnvironmentReader } from '@spanwise/service-kit';
import type { TelemetryEnvironment } from '@spanwise/telemetry';

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** Where MCP servers are named. */
export interface ToolServersConfig {
  /** Path of the YAML file. */
  readonly file: string;
  /** Variables that the file may name; programs that it starts get `PATH`. Never logged. */
  readonly variables: Environment;
}

/** Where a provider of tools is. */
export interface ToolProviderAddress {
  /** Letters, digits and `-`; its tools are called `name__tool`. */
  readonly name: string;
  /** For example `http://billing-tools:7010`. */
  readonly url: string;
}

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
  /** How long lines of the audit are kept. */
  readonly auditDays: number;
  /** How long calls may go on after the service was told to stop. */
  readonly drainMs: number;
  /** How long a tool may take to stop at a fence. */
  readonly stopMs: number;
  /** Modules with tools of the operator's own: paths, or names of packages. */
  readonly toolModules: readonly string[];
  /** Processes that serve tools of the operator's own. */
  readonly toolProviders: readonly ToolProviderAddress[];
  /** MCP servers; undefined = there are none. */
  readonly toolServers?: ToolServersConfig | undefined;
  /** How the commands of `bash` are kept apart; `off`: there is no `bash`. */
  readonly sandbox: 'virtual' | 'namespaced' | 'off';
  /** Commands of `bash` that run at once in this process; others wait for their turn. */
  readonly sandboxSlots: number;
  /** What may be reached besides the public internet: see GuardOptions of egress; undefined = nothing at all, no web. */
  readonly egressAllow: readonly string[] | undefined;
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
 * - `SPANWISE_AUDIT_DAYS` after how many days `main.ts retain` deletes lines of the audit, 1 to 36500; default 365
 * - `SPANWISE_DRAIN_MS` how long calls may go on after SIGTERM; default 120000
 * - `SPANWISE_STOP_MS` how long a tool may take to stop at a fence; default 5000
 * - `SPANWISE_TOOLS` modules with own tools, separated by commas: paths that begin with `.` or `/`, or names of packages
 * - `SPANWISE_TOOL_PROVIDERS` processes that serve own tools, as `name=http://host:port`, separated by commas
 * - `SPANWISE_TOOL_SERVERS` file that names MCP servers, see the README; default none
 * - `SPANWISE_SANDBOX` how commands of `bash` are kept apart: `virtual` (default), `namespaced`, or `off` for no `bash`
 * - `SPANWISE_SANDBOX_SLOTS` commands of `bash` that run at once, 1 to 1024; default four for each core
 * - `SPANWISE_EGRESS` `on` (default), or `off`: tools reach nothing of the web
 * - `SPANWISE_EGRESS_ALLOW` hosts and ranges of addresses that tools may reach besides the public internet, separated by
 *   commas: `internal.example.com`, `*.example.com`, `10.1.0.0/16`, `localhost:8080`; default none
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
    auditDays: reader.integer('SPANWISE_AUDIT_DAYS', 365, { min: 1, max: 36_500 }),
    drainMs: reader.integer('SPANWISE_DRAIN_MS', 120_000, { min: 0, max: 3_600_000 }),
    stopMs: reader.integer('SPANWISE_STOP_MS', 5000, { min: 50, max: 60_000 }),
    toolModules: readList(reader, 'SPANWISE_TOOLS'),
    toolProviders: readProviders(reader),
    ...readToolServers(reader, env),
    sandbox: reader.choice('SPANWISE_SANDBOX', ['virtual', 'namespaced', 'off'], 'virtual'),
    sandboxSlots: reader.integer('SPANWISE_SANDBOX_SLOTS', availableParallelism() * 4, { min: 1, max: 1024 }),
    egressAllow: readEgressAllow(reader),
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

function readToolServers(reader: EnvironmentReader, variables: Environment): Pick<ToolHostConfig, 'toolServers'> {
  const file = reader.optional('SPANWISE_TOOL_SERVERS');
  return file === undefined ? {} : { toolServers: { file, variables } };
}

function readList(reader: EnvironmentReader, name: string): readonly string[] {
  const parts = reader.text(name, '').split(',');
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function readEgressAllow(reader: EnvironmentReader): readonly string[] | undefined {
  const name = 'SPANWISE_EGRESS_ALLOW';
  const allow = readList(reader, name);
  try {
    parseAllowList(allow);
  } catch (error) {
    throw badSetting(
      name,
      `has an entry that can not be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return reader.choice('SPANWISE_EGRESS', ['on', 'off'], 'on') === 'on' ? allow : undefined;
}

function readProviders(reader: EnvironmentReader): readonly ToolProviderAddress[] {
  const variable = 'SPANWISE_TOOL_PROVIDERS';
  const providers = readList(reader, variable).map((text) => {
    const [, name, url] = /^([a-zA-Z0-9-]{1,32})=(https?:\/\/.+)$/.exec(text) ?? [];
    if (name === undefined || url === undefined || !URL.canParse(url)) {
      throw badSetting(
        variable,
        'must be name=http://host:port, separated by commas; a name has letters, digits and -',
      );
    }
    return { name, url };
  });
  if (new Set(providers.map(({ name }) => name)).size !== providers.length) {
    throw badSetting(variable, 'names two providers alike');
  }
  return providers;
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
