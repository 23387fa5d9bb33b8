import { fileURLToPath } from 'node:url';
import { badSetting, type Environment, EnvironmentReader } from '@spanwise/service-kit';
import type { TelemetryEnvironment } from '@spanwise/telemetry';

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** The configuration of disks and mounts that comes with the service. */
export const shippedViewFile = fileURLToPath(new URL('../fs-view.yaml', import.meta.url));

/** Settings of the filesystem service; may also be made by code. */
export interface FilesystemConfig {
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on; 0 = any free one. */
  readonly port: number;
  /** `mysql://…` or `sqlite:path`. */
  readonly databaseUrl: string;
  /** Connections to MySQL. */
  readonly databasePoolSize: number;
  /** Migrates the schema at start; off by default with MySQL, where it is a step of the deployment. */
  readonly migratesAtStart: boolean;
  /** Path of the YAML file with disks and mounts. */
  readonly viewFile: string;
  /** How often each replica throws away what is not to be kept; 0 = never. */
  readonly retainEveryMs: number;
  readonly logLevel: (typeof logLevels)[number];
  /** `OTEL_*` variables; without them nothing is exported. */
  readonly telemetry?: TelemetryEnvironment;
  /** The value of a variable that the file names in place of a secret; without it none is set. */
  readonly secret?: (variable: string) => string | undefined;
}

/**
 * Reads the settings from environment variables:
 *
 * - `SPANWISE_HOST` address to listen on; default `127.0.0.1`
 * - `SPANWISE_PORT` port to listen on, 0 to 65535; default 7004
 * - `SPANWISE_DATABASE_URL` `mysql://…` or `sqlite:path`; default `sqlite:./.spanwise/filesystem.db`
 * - `SPANWISE_DATABASE_POOL` connections to MySQL, 1 to 1000; default 10
 * - `SPANWISE_MIGRATE` `always`, `never` or `auto` (default): migrate the schema at start, `auto` only with SQLite
 * - `SPANWISE_FS_VIEW` path of the YAML file with disks and mounts; default the one that is shipped
 * - `SPANWISE_RETAIN_EVERY_MS` how often what is not to be kept is thrown away, 0 = never; default 3600000, an hour
 * - `SPANWISE_LOG_LEVEL` `debug`, `info` (default), `warn`, `error` or `silent`
 * - `OTEL_*` as OpenTelemetry has them
 * - variables that the file with disks names for secrets
 *
 * Throws INVALID_FIELD with the name of a variable that can not be used.
 */
export function readFilesystemConfig(env: Environment = process.env): FilesystemConfig {
  const reader = new EnvironmentReader(env);
  const databaseUrl = reader.text('SPANWISE_DATABASE_URL', 'sqlite:./.spanwise/filesystem.db');
  if (!/^(?:sqlite:.|mysql:\/\/.)/.test(databaseUrl)) {
    throw badSetting('SPANWISE_DATABASE_URL', 'must be sqlite:<path> or mysql://<address>');
  }
  const migrate = reader.choice('SPANWISE_MIGRATE', ['auto', 'always', 'never'], 'auto');
  return Object.freeze({
    host: reader.text('SPANWISE_HOST', '127.0.0.1'),
    port: reader.integer('SPANWISE_PORT', 7004, { min: 0, max: 65_535 }),
    databaseUrl,
    databasePoolSize: reader.integer('SPANWISE_DATABASE_POOL', 10, { min: 1, max: 1000 }),
    migratesAtStart: migrate === 'always' || (migrate === 'auto' && databaseUrl.startsWith('sqlite:')),
    viewFile: reader.text('SPANWISE_FS_VIEW', shippedViewFile),
    retainEveryMs: reader.integer('SPANWISE_RETAIN_EVERY_MS', 3_600_000, { min: 0, max: 86_400_000 }),
    logLevel: reader.choice('SPANWISE_LOG_LEVEL', logLevels, 'info'),
    telemetry: Object.freeze(Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('OTEL_')))),
    secret: (variable: string) => reader.optional(variable),
  });
}
