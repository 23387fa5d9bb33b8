import { join } from 'node:path';
import { createAgentRuntimeService } from '@spanwise/agent-runtime/composition-root';
import { readAgentRuntimeConfig } from '@spanwise/agent-runtime/config';
import { createFilesystemService } from '@spanwise/filesystem/composition-root';
import { readFilesystemConfig } from '@spanwise/filesystem/config';
import { InProcessCancelBus } from '@spanwise/messaging';
import type { Environment, RunningService } from '@spanwise/service-kit';
import { createSessionService } from '@spanwise/session/composition-root';
import { readSessionConfig } from '@spanwise/session/config';
import { createToolHostService } from '@spanwise/tool-host/composition-root';
import { readToolHostConfig } from '@spanwise/tool-host/config';
import { lockDataFolder } from './data-lock.ts';

export const serviceNames = ['session', 'agent-runtime', 'tool-host', 'filesystem'] as const;
export type ServiceName = (typeof serviceNames)[number];

export interface EmbeddedStackOptions {
  /** Folder of the databases; taken for this process alone. */
  readonly dataDir: string;
  /** Settings as environment variables; those that the stack itself decides are replaced. */
  readonly env: Environment;
  /** Port of each service; 0 or missing = any free one. */
  readonly ports?: Partial<Record<ServiceName, number>>;
}

export interface EmbeddedStack extends AsyncDisposable {
  /** `http://host:port` of each service. */
  readonly urls: Readonly<Record<ServiceName, string>>;
}

/**
 * Starts all four services in this process, each on a loopback port of its own, on SQLite and an in-process bus. Between
 * them is what is between them anywhere: gRPC over HTTP/2. Disposing it stops them, callers before callees.
 */
export async function startEmbeddedStack({ dataDir, env, ports = {} }: EmbeddedStackOptions): Promise<EmbeddedStack> {
  await using resources = new AsyncDisposableStack();
  resources.use(lockDataFolder(dataDir));
  const bus = resources.use(new InProcessCancelBus());
  const common = { ...env, SPANWISE_HOST: '127.0.0.1', SPANWISE_NATS_URL: '' };
  const settings = (service: ServiceName, more: Environment = {}): Environment => {
    const database = `sqlite:${join(dataDir, `${service}.db`)}`;
    return { ...common, SPANWISE_PORT: String(ports[service] ?? 0), SPANWISE_DATABASE_URL: database, ...more };
  };
  const start = async (service: RunningService) => resources.use(service).server.url;

  const filesystem = await start(await createFilesystemService(readFilesystemConfig(settings('filesystem'))));
  const SPANWISE_FILESYSTEM_URL = filesystem;
  const toolHost = await start(
    await createToolHostService(readToolHostConfig(settings('tool-host', { SPANWISE_FILESYSTEM_URL }))),
  );
  const SPANWISE_TOOL_HOST_URL = toolHost;
  const runtimeConfig = readAgentRuntimeConfig(
    settings('agent-runtime', { SPANWISE_FILESYSTEM_URL, SPANWISE_TOOL_HOST_URL }),
  );
  const runtime = await start(
    await createAgentRuntimeService(runtimeConfig, {
      cancelListener: { listen: (onCancel) => bus.listen(({ runId }) => onCancel(runId)) },
    }),
  );
  const peers = { SPANWISE_RUNTIME_URL: runtime, SPANWISE_TOOL_HOST_URL, SPANWISE_FILESYSTEM_URL };
  const sessionConfig = readSessionConfig(settings('session', peers));
  const session = await start(await createSessionService(sessionConfig, { cancelBus: bus }));

  const owned = resources.move();
  return {
    urls: { session, 'agent-runtime': runtime, 'tool-host': toolHost, filesystem },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
