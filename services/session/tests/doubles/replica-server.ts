import { type Client, createClient } from '@connectrpc/connect';
import { SessionPeerService } from '@spanwise/contracts/spanwise/session/v1/peer';
import { SessionService } from '@spanwise/contracts/spanwise/session/v1/session';
import { type RunId, systemClock } from '@spanwise/kernel';
import {
  createInternalTransport,
  insecureDevAuthenticate,
  type RunningServer,
  serve,
  unauthenticated,
} from '@spanwise/service-kit';
import { silentLogger, Telemetry } from '@spanwise/telemetry';
import { authenticatePeers } from '../../src/api/peer-authentication.ts';
import { sessionPeerServiceHandler } from '../../src/api/session-peer-service-handler.ts';
import { sessionServiceHandler } from '../../src/api/session-service-handler.ts';
import { ReadLog } from '../../src/application/read-log.ts';
import { ReadRuns } from '../../src/application/read-runs.ts';
import { RunSession } from '../../src/application/run-session.ts';
import type { SessionHub } from '../../src/application/session-hub.ts';
import { TailSession } from '../../src/application/tail-session.ts';
import { WatchSession } from '../../src/application/watch-session.ts';
import { HmacPeerProof } from '../../src/infrastructure/hmac-peer-proof.ts';
import type { World } from './world.ts';

export const proof = new HmacPeerProof('the key of all replicas', systemClock);
export const testTelemetry = new Telemetry({ service: 'test', env: {} });

export interface ReplicaServer extends AsyncDisposable {
  readonly server: RunningServer;
  /** Alice's. */
  readonly client: Client<typeof SessionService>;
  readonly cancelled: RunId[];
  readonly released: RunId[];
}

/**
 * A replica of the session service over gRPC, on the repositories of a world and with a hub of its own. Users are known by
 * the header `token: of a user`.
 */
export async function startReplicaServer(world: World, hub: SessionHub): Promise<ReplicaServer> {
  await using resources = new AsyncDisposableStack();
  const cancelled: RunId[] = [];
  const released: RunId[] = [];
  const useCases = {
    ...world,
    runSession: new RunSession({ ...world, hub }),
    watchSession: new WatchSession({ ...world, hub }),
    readRuns: new ReadRuns(world),
    readLog: new ReadLog(world),
  };
  const peerUseCases = {
    tailSession: new TailSession({ hub }),
    cancel: (runId: RunId) => cancelled.push(runId) > 0,
    released: (runId: RunId) => void released.push(runId),
  };
  const users = insecureDevAuthenticate('alice');
  const server = await serve({
    host: '127.0.0.1',
    port: 0,
    services: [SessionService, SessionPeerService],
    routes: (router) =>
      router
        .service(SessionService, sessionServiceHandler(useCases))
        .service(SessionPeerService, sessionPeerServiceHandler(peerUseCases)),
    authenticate: authenticatePeers(
      (each) => proof.verifies(each),
      (headers) => {
        if (headers.get('token') !== 'of a user') {
          throw unauthenticated();
        }
        return users(headers);
      },
    ),
    trustsTraceparent: false,
    telemetry: testTelemetry,
    logger: silentLogger,
  });
  resources.use(server);
  const transport = resources.use(createInternalTransport({ baseUrl: server.url, telemetry: testTelemetry }));
  const client = createClient(SessionService, {
    unary: (method, signal, timeoutMs, header, ...rest) =>
      transport.unary(method, signal, timeoutMs, asUser(header), ...rest),
    stream: (method, signal, timeoutMs, header, ...rest) =>
      transport.stream(method, signal, timeoutMs, asUser(header), ...rest),
  });
  const owned = resources.move();
  return { server, client, cancelled, released, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function asUser(init: ConstructorParameters<typeof Headers>[0]): Headers {
  const headers = new Headers(init);
  headers.set('token', 'of a user');
  return headers;
}
