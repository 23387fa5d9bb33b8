import { type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';

/** Structured log: facts first, then a constant message. Never content, tokens or secrets. */
export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'child'>;

export interface LoggerOptions {
  readonly service: string;
  /** `debug`, `info` (default), `warn`, `error` or `silent`. */
  readonly level?: string;
}

/** Logger that writes JSON lines to standard error, so that standard output stays with what a person asked for. */
export function createLogger({ service, level = 'info' }: LoggerOptions): Logger {
  return pino(
    { level, base: { service }, timestamp: stdTimeFunctions.isoTime, redact: ['token', 'authorization', '*.token'] },
    pino.destination({ fd: 2, sync: true }),
  );
}

/** Logger that drops everything; for tests. */
export const silentLogger: Logger = pino({ level: 'silent' });
