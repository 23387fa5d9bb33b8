export type { FinishedSpan } from './finished-span.ts';
export { attribute } from './gen-ai-attributes.ts';
export { createLogger, type Logger, type LoggerOptions, silentLogger } from './logger.ts';
export { parentContext, Telemetry, type TelemetryOptions } from './telemetry.ts';
export type { TelemetryEnvironment } from './telemetry-environment.ts';
export { formatTraceparent, parseTraceparent } from './traceparent.ts';
