import { Code, ConnectError, type Interceptor, type Transport } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { SpanKind } from '@opentelemetry/api';
import { formatTraceparent, type Telemetry } from '@spanwise/telemetry';
import { callContextKey } from './call-context.ts';
import { errorInfoOf } from './connect-errors.ts';
import { RenewingSessionManager } from './session-manager.ts';
import { tracingInterceptor } from './tracing-interceptor.ts';

export interface InternalTransportOptions {
  readonly baseUrl: string;
  readonly telemetry: Telemetry;
  /** Ping interval and time to answer; default 10 s and 5 s. */
  readonly pingIntervalMs?: number;
  readonly pingTimeoutMs?: number;
  /** Bytes of one message either way; default 16 MiB. */
  readonly maxMessageBytes?: number;
}

/** A transport whose connection ends when it is disposed. */
export type InternalTransport = Transport & Disposable;

/**
 * Client side between services: gRPC over HTTP/2 with pings, without compression, carrying the call context. What a
 * frozen or killed server does to a call arrives as UNAVAILABLE, never as the caller's own cancel.
 */
export function createInternalTransport({
  baseUrl,
  telemetry,
  pingIntervalMs = 10_000,
  pingTimeoutMs = 5_000,
  maxMessageBytes = 16 * 1024 * 1024,
}: InternalTransportOptions): InternalTransport {
  const sessionManager = new RenewingSessionManager(baseUrl, { pingIntervalMs, pingTimeoutMs });
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    interceptors: [
      lostConnectionInterceptor(sessionManager),
      contextInterceptor(telemetry.service),
      tracingInterceptor(telemetry, SpanKind.CLIENT),
    ],
    acceptCompression: [],
    readMaxBytes: maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
  });
  return Object.assign(transport, { [Symbol.dispose]: () => sessionManager.abort() });
}

const contextInterceptor =
  (service: string): Interceptor =>
  (next) =>
  (request) => {
    request.header.set('service', service);
    const { identity, span } = request.contextValues.get(callContextKey);
    if (identity !== undefined) {
      request.header.set('uid', identity.uid);
      setIfAny(request.header, 'email', identity.email);
      setIfAny(request.header, 'token', identity.token);
    }
    if (span !== undefined) {
      request.header.set('traceparent', formatTraceparent(span));
    }
    return next(request);
  };

function setIfAny(headers: Headers, name: string, value: string): void {
  if (value !== '') {
    headers.set(name, value);
  }
}

/** Codes with which connect-node reports a connection that was cut, though a server may send them too. */
const ambiguousCodes = new Set([Code.Canceled, Code.Unknown, Code.Aborted, Code.Internal]);

/** Every error of a Spanwise service carries an ErrorInfo: an ambiguous one without it was made by the transport. */
const lostConnectionInterceptor =
  (connections: RenewingSessionManager): Interceptor =>
  (next) =>
  async (request) => {
    const translate = (reason: unknown): ConnectError => {
      const error = ConnectError.from(reason);
      if (errorInfoOf(error)?.reason === 'SHUTTING_DOWN') {
        connections.renew();
      }
      const isOwnCancel = request.signal.aborted;
      return !isOwnCancel && ambiguousCodes.has(error.code) && errorInfoOf(error) === undefined
        ? new ConnectError('The connection was lost.', Code.Unavailable, undefined, undefined, error)
        : error;
    };
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: translated(response.message, translate) } : response;
    } catch (error) {
      throw translate(error);
    }
  };

async function* translated<Message>(messages: AsyncIterable<Message>, translate: (error: unknown) => ConnectError) {
  try {
    yield* messages;
  } catch (error) {
    throw translate(error);
  }
}
