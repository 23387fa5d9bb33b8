import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError, UnauthorizedError } from '@modelcontextprotocol/client';
import { DomainError } from '@spanwise/kernel';
import type { ToolEffect } from '@spanwise/tool-kit/contract';
import { toolLost, toolSignInNeeded, toolTimedOut, toolUnavailable } from '../../domain/tool/tool-errors.ts';
import { streamEndedCode } from './http-transport.ts';
import { answerUnusable, callLost, refusedByServer } from './mcp-errors.ts';
import { answerTooLongCode, answerUnusableCode } from './message-lines.ts';
import { remoteError } from './remote-text.ts';

export interface FailedCall {
  readonly server: string;
  readonly effect: ToolEffect;
  readonly timeoutMs: number;
  readonly sendsUserToken: boolean;
}

/** What became of a call that failed on its way. */
export type RemoteFailure =
  /** The server does not know the session any more, and has not begun: another connection may be tried. */
  | { readonly type: 'session-gone'; readonly error: DomainError }
  /** `isAway`: the connection is of no use any more. */
  | { readonly type: 'failed'; readonly error: DomainError; readonly isAway: boolean };

/** Codes of errors that come before anything was sent. */
const unsent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/**
 * Reads what the SDK, a transport or the guard threw. What may have been sent, and not answered, is lost: a call that may not
 * be repeated is then one of which nobody knows. Whether the call was stopped is for the caller to look at first: the SDK has
 * the same error for that as for a timeout.
 */
export function readFailure(call: FailedCall, error: unknown): RemoteFailure {
  const { server } = call;
  if (error instanceof SdkHttpError) {
    return httpFailure(call, error);
  }
  if (error instanceof UnauthorizedError) {
    return failed(call.sendsUserToken ? toolSignInNeeded(server, error) : toolUnavailable(server, error));
  }
  if (error instanceof ProtocolError) {
    return protocolFailure(call, error);
  }
  if (error instanceof SdkError) {
    return sdkFailure(call, error);
  }
  if (error instanceof DomainError) {
    return domainFailure(call, error);
  }
  if (wasNotSent(error)) {
    return failed(toolUnavailable(server, error), true);
  }
  // Its body is no JSON, or JSON that is no message.
  if (error instanceof SyntaxError || (error instanceof Error && error.name === 'ZodError')) {
    return failed(answerUnusable(server, 'it is no message', error));
  }
  return failed(lost(call, error), true);
}

function httpFailure(call: FailedCall, error: SdkHttpError): RemoteFailure {
  const { server } = call;
  const status = error.data?.status ?? 0;
  const gone = toolUnavailable(server, error);
  switch (true) {
    case status === 401:
      return failed(call.sendsUserToken ? toolSignInNeeded(server, error) : gone);
    case status === 404 || status === 400:
      return { type: 'session-gone', error: refusedByServer(server, `HTTP status ${status}`, error) };
    case status === 429 || status === 503:
      return failed(gone);
    case status >= 400 && status < 500:
      return failed(refusedByServer(server, `HTTP status ${status}`, error));
    default:
      return failed(lost(call, error));
  }
}

function protocolFailure(call: FailedCall, error: ProtocolError): RemoteFailure {
  switch (error.code) {
    case answerTooLongCode:
      return failed(answerUnusable(call.server, 'it is too long', error));
    case answerUnusableCode:
      return failed(answerUnusable(call.server, 'it is no message', error));
    case streamEndedCode:
      return failed(lost(call, error));
    default:
      return failed(refusedByServer(call.server, remoteError(error.message), error));
  }
}

function sdkFailure(call: FailedCall, error: SdkError): RemoteFailure {
  switch (error.code) {
    case SdkErrorCode.NotConnected:
      return failed(toolUnavailable(call.server, error), true);
    case SdkErrorCode.ConnectionClosed:
    case SdkErrorCode.SendFailed:
      return failed(lost(call, error), true);
    case SdkErrorCode.RequestTimeout:
      return failed(toolTimedOut(call.timeoutMs));
    default:
      return failed(answerUnusable(call.server, 'it is not what was asked for', error));
  }
}

function failed(error: DomainError, isAway = false): RemoteFailure {
  return { type: 'failed', error, isAway };
}

function lost({ server, effect }: FailedCall, error: unknown): DomainError {
  return effect === 'NON_REPEATABLE' ? toolLost(server, error) : callLost(server, error);
}

/** What the guard and the transports say; all else is ours, and for the model as it is. */
function domainFailure(call: FailedCall, error: DomainError): RemoteFailure {
  const { server } = call;
  switch (error.reason) {
    case 'EGRESS_REFUSED':
    case 'TOOL_UNAVAILABLE':
      return failed(toolUnavailable(server, error), true);
    case 'FETCH_FAILED':
      return failed(wasNotSent(error.cause) ? toolUnavailable(server, error) : lost(call, error), true);
    default:
      return failed(error.kind === 'exhausted' ? answerUnusable(server, 'it is too long', error) : error);
  }
}

function wasNotSent(error: unknown): boolean {
  if (!(error instanceof Error)) {
    return false;
  }
  const code: unknown = Reflect.get(error, 'code');
  const isUnsent = error.message === 'Not connected' || (typeof code === 'string' && unsent.has(code));
  const inner = error instanceof AggregateError ? error.errors : [];
  return isUnsent || wasNotSent(error.cause) || (inner.length > 0 && inner.every(wasNotSent));
}
