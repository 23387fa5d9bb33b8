import { Code, ConnectError } from '@connectrpc/connect';
import type { DomainError } from '@spanwise/kernel';
import { errorInfoOf, toDomainError } from '@spanwise/service-kit';

/**
 * How an attempt failed.
 *
 * - `not-begun` nothing of the call was begun: it may be asked for again, whatever its tool does
 * - `lost` nobody knows whether it was executed
 * - `changed` the provider does not serve what was listed any more; nothing was begun
 * - `too-late` its time is up
 * - `refused` the provider has said so, and asking again will not help
 */
export type CallFailure = {
  readonly type: 'not-begun' | 'lost' | 'changed' | 'too-late' | 'refused';
  readonly error: DomainError;
};

/** What Node says when a connection could not be made: no byte of the request has left. */
const unconnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']);

/** Judges what a call threw. `isStarted`: the provider has said that the tool is executed. */
export function failureOf(reason: unknown, isStarted: boolean): CallFailure {
  const error = toDomainError(reason);
  const connectError = ConnectError.from(reason);
  // What was made on the way has none; see provider.proto.
  const isOfProvider = errorInfoOf(connectError) !== undefined;
  if (error.kind === 'deadline') {
    return { type: 'too-late', error };
  }
  if (!isStarted && (error.kind === 'precondition' || error.reason === 'TOOL_NOT_FOUND')) {
    return { type: 'changed', error };
  }
  if (!isStarted && (isUnconnected(reason) || (isOfProvider && error.kind === 'unavailable'))) {
    return { type: 'not-begun', error };
  }
  const isAnswer = isOfProvider && error.kind !== 'unavailable';
  return { type: isAnswer || isRefusal(connectError.code) ? 'refused' : 'lost', error };
}

/** What servers say that do not know the service, or do not let this host in; or what was too long for either side. */
function isRefusal(code: Code): boolean {
  const codes = [Code.Unimplemented, Code.Unauthenticated, Code.PermissionDenied, Code.ResourceExhausted];
  return codes.includes(code);
}

function isUnconnected(reason: unknown): boolean {
  for (let each = reason; each instanceof Error; each = each.cause) {
    if ('code' in each && typeof each.code === 'string' && unconnected.has(each.code)) {
      return true;
    }
  }
  return false;
}
