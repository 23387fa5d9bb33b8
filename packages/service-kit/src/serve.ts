import type { DescService } from '@bufbuild/protobuf';
import { type ConnectRouter, createConnectRouter } from '@connectrpc/connect';
import { compressionBrotli, compressionGzip } from '@connectrpc/connect-node';
import { SpanKind } from '@opentelemetry/api';
import { DomainError } from '@spanwise/kernel';
import type { Logger, Telemetry } from '@spanwise/telemetry';
import type { Authenticate } from './authenticate.ts';
import { toConnectError } from './connect-errors.ts';
import { errorInterceptor } from './error-interceptor.ts';
import { healthRoutes } from './health.ts';
import { nodeHandler } from './node-adapter.ts';
import { type ListenerOptions, listen } from './port-listener.ts';
import { reflectionRoutes } from './reflection.ts';
import { maxTimeoutMs, requestGate } from './request-gate.ts';
import { tracingInterceptor } from './tracing-interceptor.ts';
import { validationInterceptor, warmValidation } from './validation-interceptor.ts';

export interface ServeOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** The services whose routes are registered; also what reflection and health tell of. */
  readonly services: readonly DescService[];
  readonly routes: (router: ConnectRouter) => void;
  readonly authenticate: Authenticate;
  /** True inside: the caller's trace goes on. False at the public side: every run begins its own trace. */
  readonly trustsTraceparent: boolean;
  readonly telemetry: Telemetry;
  readonly logger: Logger;
  /** Resolves while dependencies answer; rejects while they do not. Asked every 2 seconds. Default: always fine. */
  readonly checkReady?: () => Promise<void>;
  readonly limits?: Partial<ServerLimits>;
}

/** Limits and timers of a server. */
export interface ServerLimits extends Omit<ListenerOptions, 'host' | 'port'> {
  /** Bytes of one request message. */
  readonly readMaxBytes: number;
  /** Bytes of one response message. */
  readonly writeMaxBytes: number;
}

/** 4 MiB messages, 16 KiB of headers, 256 streams a connection, a ping every 10 s answered within 5 s. */
export const defaultLimits: ServerLimits = {
  readMaxBytes: 4 * 1024 * 1024,
  writeMaxBytes: 4 * 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxStreams: 256,
  pingIntervalMs: 10_000,
  pingTimeoutMs: 5_000,
};

/** Streams that one connection between services may have open: one run is one stream. */
export const internalMaxStreams = 4096;

/** Messages below this are sent uncompressed: gzip costs five times what an event costs. */
const compressMinBytes = 64 * 1024;
const readyIntervalMs = 2000;

export interface RunningServer extends AsyncDisposable {
  /** `http://host:port`. */
  readonly url: string;
  readonly port: number;
  /** Health says NOT_SERVING from now on; requests are still answered. */
  drain(): void;
  /**
   * Sends clients to other connections (GOAWAY). Streams that are open go on; one that is on its way is lost and hears of
   * it when its connection closes, with the last open stream: only for servers whose streams end soon.
   */
  goAway(): void;
  /**
   * Drains, sends GOAWAY and waits up to `graceMs` for open streams; then aborts them and waits a second for their ends.
   */
  stop(graceMs: number): Promise<void>;
}

/**
 * Serves gRPC, gRPC-Web and Connect on one port, over HTTP/2 and HTTP/1.1, with health and reflection. Health says SERVING
 * once the validators are warm and `checkReady` resolves.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { services, telemetry, logger, host } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const shutdown = new AbortController();
  const readiness = watchReadiness(options.checkReady);
  const router = createConnectRouter({
    interceptors: [tracingInterceptor(telemetry, SpanKind.SERVER), errorInterceptor(logger), validationInterceptor],
    requestGate: requestGate(options.authenticate, options.trustsTraceparent),
    acceptCompression: [compressionGzip, compressionBrotli],
    compressMinBytes,
    readMaxBytes: limits.readMaxBytes,
    writeMaxBytes: limits.writeMaxBytes,
    maxTimeoutMs,
    shutdownSignal: shutdown.signal,
  });
  options.routes(router);
  healthRoutes(
    router,
    services.map(({ typeName }) => typeName),
    readiness,
  );
  reflectionRoutes(router, services);
  warmValidation(services);
  await readiness.check();

  const listener = await listen(nodeHandler(router, logger), { ...limits, host, port: options.port });
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${listener.port}`;
  logger.info({ url }, 'serving');
  let stopped: Promise<void> | undefined;

  async function stopWithin(graceMs: number): Promise<void> {
    readiness.stop();
    const abort = setTimeout(() => shutdown.abort(toConnectError(shuttingDown())), graceMs);
    await listener.close(graceMs + 1000);
    clearTimeout(abort);
    logger.info({}, 'stopped');
  }

  return {
    url,
    port: listener.port,
    drain: () => readiness.stop(),
    goAway: () => listener.goAway(),
    stop: (graceMs) => (stopped ??= stopWithin(graceMs)),
    [Symbol.asyncDispose]: () => (stopped ??= stopWithin(0)),
  };
}

/** The process is going away. The caller tries again, at another replica. */
function shuttingDown(): DomainError {
  return new DomainError('unavailable', 'SHUTTING_DOWN', 'The server is shutting down: try again.');
}

function watchReadiness(checkReady: () => Promise<void> = () => Promise.resolve()) {
  let isReady = false;
  let isStopped = false;
  const check = async () => {
    isReady = await checkReady().then(
      () => true,
      () => false,
    );
  };
  const interval = setInterval(() => void check(), readyIntervalMs);
  interval.unref();
  return {
    check,
    isReady: () => isReady && !isStopped,
    stop() {
      isStopped = true;
      clearInterval(interval);
    },
  };
}
