import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { ExecutionStop, ToolHostService } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { forwardedAuthenticate, serve } from '@spanwise/service-kit';
import { silentLogger, Telemetry } from '@spanwise/telemetry';

export interface FenceServer extends AsyncDisposable {
  readonly url: string;
  /** What was asked of the tool host. */
  readonly fences: { readonly sessionId: string; readonly epoch: bigint; readonly stop: boolean }[];
  /** Sessions whose data was to be deleted, with the service that was asked. */
  readonly deleted: string[];
  /** Calls that the next fence with `stop` meets. */
  executing: string[];
}

/** What session asks of tool-host and filesystem, both at one address. */
export async function startFenceServer(): Promise<FenceServer> {
  const asked: Pick<FenceServer, 'fences' | 'deleted' | 'executing'> = { fences: [], deleted: [], executing: [] };
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
        fence: () => ({}),
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
