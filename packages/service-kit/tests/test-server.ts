import type { ServiceImpl } from '@connectrpc/connect';
import { SessionService } from '@spanwise/contracts/spanwise/session/v1/session';
import { DomainError } from '@spanwise/kernel';
import { silentLogger, Telemetry } from '@spanwise/telemetry';
import {
  insecureDevAuthenticate,
  type RunningServer,
  requireIdentity,
  type ServeOptions,
  serve,
} from '../src/index.ts';

/** The session id that the test server knows; others are not found. */
export const knownId = '01890000-0000-7000-8000-000000000001';
/** Reading this one fails with an error that tells internals. */
export const brokenId = '01890000-0000-7000-8000-000000000002';
/** Watching this one sends two messages, then an error. */
export const breakingId = '01890000-0000-7000-8000-000000000003';

const notFound = () => new DomainError('not-found', 'SESSION_NOT_FOUND', 'No such session.');

const implementation: Partial<ServiceImpl<typeof SessionService>> = {
  getSession({ sessionId }, context) {
    if (sessionId === brokenId) {
      throw new RangeError('select password from users');
    }
    if (sessionId !== knownId) {
      throw notFound();
    }
    return { session: { id: sessionId, uid: requireIdentity(context).uid, title: 'x'.repeat(10) } };
  },
  async *watchSession({ sessionId, afterSeq }, context) {
    if (sessionId !== knownId && sessionId !== breakingId) {
      throw notFound();
    }
    yield { caughtUp: { seq: afterSeq } };
    yield { caughtUp: { seq: afterSeq + 1n } };
    if (sessionId === breakingId) {
      throw new DomainError('unavailable', 'DATABASE_UNAVAILABLE', 'Away.', {
        facts: { after_seq: 7 },
        retryAfterMs: 1500,
      });
    }
    await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve(), { once: true }));
  },
};

export function startTestServer(options: Partial<ServeOptions> = {}): Promise<RunningServer> {
  return serve({
    host: '127.0.0.1',
    port: 0,
    services: [SessionService],
    routes: (router) => router.service(SessionService, implementation),
    authenticate: insecureDevAuthenticate(),
    trustsTraceparent: false,
    telemetry: new Telemetry({ service: 'test', env: {} }),
    logger: silentLogger,
    ...options,
  });
}
