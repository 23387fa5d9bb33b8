import { setTimeout as delay } from 'node:timers/promises';
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from '@connectrpc/connect';
import { Health, HealthCheckResponse_ServingStatus as Status } from '@spanwise/contracts/grpc/health/v1/health';

/** Whether a process takes requests. */
export interface Readiness {
  isReady(): boolean;
}

/** `grpc.health.v1.Health` for the whole process ("") and for each of its services. Watch looks every 500 ms. */
export function healthRoutes(router: ConnectRouter, services: readonly string[], readiness: Readiness): void {
  const names = new Set(['', ...services]);
  const statusNow = () => (readiness.isReady() ? Status.SERVING : Status.NOT_SERVING);
  router.service(Health, {
    check({ service }) {
      if (!names.has(service)) {
        throw new ConnectError('unknown service', Code.NotFound);
      }
      return { status: statusNow() };
    },
    list: () => ({ statuses: Object.fromEntries([...names].map((name) => [name, { status: statusNow() }])) }),
    async *watch({ service }, context: HandlerContext) {
      let last: Status | undefined;
      while (!context.signal.aborted) {
        const status = names.has(service) ? statusNow() : Status.SERVICE_UNKNOWN;
        if (status !== last) {
          last = status;
          yield { status };
        }
        await delay(500, undefined, { signal: context.signal, ref: false }).catch(() => undefined);
      }
    },
  });
}
