import { DomainError } from '@spanwise/kernel';

/** The database could not be reached or was too busy. A commit may or may not have happened; the guard of a retry tells. */
export function databaseUnavailable(cause: unknown): DomainError {
  return new DomainError('unavailable', 'DATABASE_UNAVAILABLE', 'The database could not be reached: try again.', {
    retryAfterMs: 1000,
    cause,
  });
}

/** True when an INSERT met a row with the same unique key. */
export function isUniqueViolation(error: unknown): boolean {
  const { errno, errcode } = codesOf(error);
  return errno === mysqlDuplicateEntry || errcode === sqliteUniqueViolation || errcode === sqlitePrimaryKeyViolation;
}

/** True when a transaction lost against another one and can be tried again: deadlock, lock timeout, busy file. */
export function isLockConflict(error: unknown): boolean {
  const { errno, errcode } = codesOf(error);
  return (
    errno === mysqlDeadlock || errno === mysqlLockTimeout || (errcode !== undefined && (errcode & 0xff) === sqliteBusy)
  );
}

/**
 * The error that callers are to see: a database that is full, read-only or shutting down answers, but is as good as away.
 */
export function toldError(error: unknown): unknown {
  const { errno, errcode } = codesOf(error);
  const isOutOfService =
    (errno !== undefined && mysqlOutOfService.has(errno)) ||
    (errcode !== undefined && sqliteOutOfService.has(errcode & 0xff));
  return isOutOfService ? databaseUnavailable(error) : error;
}

/** True when the statement itself was refused, over a connection that still works. */
function isStatementError(error: unknown): boolean {
  const { errno, errcode, sqlState } = codesOf(error);
  return errcode !== undefined || (errno !== undefined && sqlState !== undefined && sqlState !== '08S01');
}

/** Errors of the driver that are no answer of the server. What `work` throws by itself leaves the connection usable. */
export function isConnectionLost(error: unknown): boolean {
  const isOfDriver = error instanceof Error && ('errno' in error || 'fatal' in error || 'code' in error);
  return isOfDriver && !isStatementError(error) && !('kind' in error);
}

/**
 * Disk full (20, 1021, 1114), a write or the storage engine that fails (3, 1026, 1030), shutting down (1053), a user's
 * limits (1203, 1226), read-only (1290, 1836).
 */
const mysqlOutOfService = new Set([3, 20, 1021, 1026, 1030, 1053, 1114, 1203, 1226, 1290, 1836]);
const mysqlDuplicateEntry = 1062;
const mysqlLockTimeout = 1205;
const mysqlDeadlock = 1213;
const sqliteBusy = 5;
/** Read-only, a failure of the disk, disk full. */
const sqliteOutOfService = new Set([8, 10, 13]);
const sqlitePrimaryKeyViolation = 1555;
const sqliteUniqueViolation = 2067;

function codesOf(error: unknown): { errno?: number; errcode?: number; sqlState?: string } {
  return typeof error === 'object' && error !== null ? error : {};
}
