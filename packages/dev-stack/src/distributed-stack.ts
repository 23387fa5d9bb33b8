import { randomBytes } from 'node:crypto';
import type { Environment } from '@spanwise/service-kit';
import { ensureDatabase } from '@spanwise/testing';
import { freePort } from './free-ports.ts';
import { migrate, type ServiceProcess, startServiceProcess } from './service-process.ts';

export interface DistributedStackOptions {
  /** MySQL or MariaDB server, for example `mysql://root@127.0.0.1:3306`; its databases are made when missing. */
  readonly databaseServerUrl: string;
  /** Prefix of the names of the databases; default `spanwise`. */
  readonly databasePrefix?: string;
  readonly natsUrl: string;
  /** Settings for all services: the model, `OTEL_*`, log level. */
  readonly env: Environment;
  /** Processes of session and of agent-runtime; default 2. */
  readonly replicas?: number;
  /** Port of the first session; others follow. Default: free ones. */
  readonly firstPort?: number;
}

export interface DistributedStack extends AsyncDisposable {
  readonly sessions: readonly ServiceProcess[];
  readonly runtimes: readonly ServiceProcess[];
  readonly toolHost: ServiceProcess;
  readonly filesystem: ServiceProcess;
}

/**
 * Starts the services as they are deployed: a process each, several of session and agent-runtime, on MySQL and NATS.
 * Replica n of session calls replica n of agent-runtime, as a load balancer in front of it would spread them.
 */
export async function startDistributedStack(options: DistributedStackOptions): Promise<DistributedStack> {
  const { databaseServerUrl, databasePrefix = 'spanwise', natsUrl, replicas = 2, firstPort } = options;
  await using resources = new AsyncDisposableStack();
  const common: Environment = {
    ...options.env,
    PATH: process.env.PATH,
    SPANWISE_NATS_URL: natsUrl,
    SPANWISE_PAGE_TOKEN_KEY: options.env.SPANWISE_PAGE_TOKEN_KEY ?? randomBytes(32).toString('hex'),
  };
  let offset = 0;
  const port = () => (firstPort === undefined ? freePort() : Promise.resolve(firstPort + offset++));
  const start = async (...input: Parameters<typeof startServiceProcess>) =>
    resources.use(await startServiceProcess(...input));
  const database = async (service: 'session' | 'tool-host' | 'filesystem') => {
    const url = await ensureDatabase(databaseServerUrl, `${databasePrefix}_${service.replace('-', '_')}`);
    const env = { ...common, SPANWISE_DATABASE_URL: url };
    await migrate(service, env);
    return env;
  };

  const sessionPorts = await Promise.all(Array.from({ length: replicas }, port));
  const services = ['session', 'tool-host', 'filesystem'] as const;
  const [sessionEnv, toolHostEnv, filesystemEnv] = await Promise.all(services.map(database));
  const filesystem = await start('filesystem', await port(), filesystemEnv ?? common);
  const files = { SPANWISE_FILESYSTEM_URL: filesystem.url };
  const toolHost = await start('tool-host', await port(), { ...toolHostEnv, ...files });
  const tools = { ...files, SPANWISE_TOOL_HOST_URL: toolHost.url };
  const runtimes: ServiceProcess[] = [];
  const sessions: ServiceProcess[] = [];
  for (const sessionPort of sessionPorts) {
    const runtime = await start('agent-runtime', await port(), { ...common, ...tools });
    runtimes.push(runtime);
    sessions.push(await start('session', sessionPort, { ...sessionEnv, ...tools, SPANWISE_RUNTIME_URL: runtime.url }));
  }
  const owned = resources.move();
  return { sessions, runtimes, toolHost, filesystem, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
