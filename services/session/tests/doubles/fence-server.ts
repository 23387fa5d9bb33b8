import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { ExecutionStop, ToolHostService } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { forwardedAuthenticate, requireIdentity, serve } from '@spanwise/service-kit';
import { silentLogger, Telemetry } from '@spanwise/telemetry';
import { RunLayers } from './run-layers.ts';

export interface FenceServer extends AsyncDisposable {
  readonly url: string;
  /** What was asked of the tool host. */
  readonly fences: { readonly sessionId: string; readonly epoch: bigint; readonly stop: boolean }[];
  /** Sessions whose data was to be deleted, with the service that was asked. */
  readonly deleted: string[];
  /** Calls that the next fence with `stop` meets. */
  executing: string[];
  readonly layers: RunLayers;
}

/** What session asks of tool-host and filesystem, both at one address. */
export async function startFenceServer(): Promise<FenceServer> {
  const layers = new RunLayers();
  const asked: Omit<FenceServer, 'url' | keyof AsyncDisposable> = { fences: [], deleted: [], executing: [], layers };
  const server = await serve({
    host: '127.0.0.1',
    port: 0,
    services: [ToolHostService, FileSystemService],
    routes: (router) => {
      router.service(ToolHostService, {
        fence({ sessionId, epoch, stop }) {
          asked.fences.push({ sessionId, epoch, stop });
          const calls = stop ? asked.executing.splice(0) : [];
          return { stopped: calls.map((callId) => ({ callId, outcome: ExecutionStop.STOPPED })) };
        },
        deleteSessionData({ sessionId }) {
          asked.deleted.push(`tool-host ${sessionId}`);
          return {};
        },
      });
      router.service(FileSystemService, {
        fence({ sessionId, epoch }) {
          layers.fence(sessionId, epoch);
          return {};
        },
        commitRun: (request, context) => layers.commit(request, requireIdentity(context)),
        rollbackRun: (request, context) => layers.rollback(request, requireIdentity(context)),
        deleteSessionData({ sessionId }) {
          asked.deleted.push(`filesystem ${sessionId}`);
          return {};
        },
      });
    },
    authenticate: forwardedAuthenticate(),
    trustsTraceparent: true,
    telemetry: new Telemetry({ service: 'tool-host', env: {} }),
    logger: silentLogger,
  });
  return Object.assign(asked, { url: server.url, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() });
}
