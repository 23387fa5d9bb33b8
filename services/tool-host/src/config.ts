import { type Environment, EnvironmentReader } from '@spanwise/service-kit';
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
 * - `SPANWISE_LOG_LEVEL` `debug`, `info` (default), `warn`, `error` or `silent`
 * - `OTEL_*` as OpenTelemetry has them
 *
 * Throws INVALID_FIELD with the name of a variable that can not be used.
 */
export function readToolHostConfig(env: Environment = process.env): ToolHostConfig {
  const reader = new EnvironmentReader(env);
  return Object.freeze({
    host: reader.text('SPANWISE_HOST', '127.0.0.1'),
    port: reader.integer('SPANWISE_PORT', 7003, { min: 0, max: 65_535 }),
    filesystemUrl: reader.url('SPANWISE_FILESYSTEM_URL', 'http://127.0.0.1:7004'),
    logLevel: reader.choice('SPANWISE_LOG_LEVEL', logLevels, 'info'),
    telemetry: Object.freeze(Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('OTEL_')))),
  });
}
