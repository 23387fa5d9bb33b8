import { join } from 'node:path';
import type { Environment } from '@spanwise/service-kit';
import type { Backend } from '../links/tcp-link.ts';
import type { Random } from '../random.ts';
import { databaseNames, databaseUser } from './database-names.ts';
import type { LinkTable } from './link-table.ts';
import { ServiceProcess } from './service-process.ts';
import { type ServiceName, serviceNames } from './service-program.ts';
import type { ClusterTimers } from './timers.ts';

export interface WiringOptions {
  readonly timers: ClusterTimers;
  readonly random: Random;
  readonly modelUrl: string;
  readonly env?: Environment;
  readonly links: LinkTable;
  /** One for each replica, service by service. */
  readonly ports: readonly number[];
  readonly databasePort: number;
  readonly brokerPort: number;
  readonly effectsFile: string;
  readonly logFolder: string;
}

interface Wired {
  readonly replicas: readonly ServiceProcess[];
  readonly sessionUrls: { readonly balanced: string; readonly pinned: readonly string[] };
}

/** Which services a service calls, and the setting with their address. */
const callees: Readonly<Record<ServiceName, readonly (readonly [ServiceName, string])[]>> = {
  session: [
    ['agent-runtime', 'SPANWISE_RUNTIME_URL'],
    ['tool-host', 'SPANWISE_TOOL_HOST_URL'],
    ['filesystem', 'SPANWISE_FILESYSTEM_URL'],
  ],
  'agent-runtime': [
    ['tool-host', 'SPANWISE_TOOL_HOST_URL'],
    ['filesystem', 'SPANWISE_FILESYSTEM_URL'],
  ],
  'tool-host': [['filesystem', 'SPANWISE_FILESYSTEM_URL']],
  filesystem: [],
};

/** As an orchestrator would need to notice and to start anew. */
const restartMs = { min: 300, max: 1500 } as const;

/** Makes the replicas and a link from each of them to everything that it calls; starts none. */
export async function wireReplicas(options: WiringOptions): Promise<Wired> {
  const { links } = options;
  const byService = new Map<ServiceName, ServiceProcess[]>(serviceNames.map((name) => [name, []]));
  const backends = (service: ServiceName): readonly Backend[] =>
    replicaPorts(service, options.ports).map((port, index) => ({
      port,
      isAvailable: () => byService.get(service)?.[index]?.isAvailable() ?? false,
    }));
  for (const service of serviceNames) {
    for (const [index, port] of replicaPorts(service, options.ports).entries()) {
      const env = await environmentOf(service, index, options, backends);
      const random = options.random.fork(`${service}-${index}`);
      byService.get(service)?.push(
        new ServiceProcess({
          ...{ service, index, port, env },
          logFile: join(options.logFolder, `${service}-${index}.jsonl`),
          restartDelayMs: () => random.between(restartMs.min, restartMs.max),
        }),
      );
    }
  }
  const balanced = await links.add('client→session', backends('session'));
  const pinned = await Promise.all(
    backends('session').map((backend, index) => links.add(`client→session-${index}`, [backend])),
  );
  return {
    replicas: [...byService.values()].flat(),
    sessionUrls: { balanced: balanced.url, pinned: pinned.map(({ url }) => url) },
  };
}

function replicaPorts(service: ServiceName, ports: readonly number[]): readonly number[] {
  const each = ports.length / serviceNames.length;
  const from = serviceNames.indexOf(service) * each;
  return ports.slice(from, from + each);
}

async function environmentOf(
  service: ServiceName,
  index: number,
  { links, timers, modelUrl, env, databasePort, brokerPort, effectsFile, ports }: WiringOptions,
  backends: (service: ServiceName) => readonly Backend[],
): Promise<Environment> {
  const name = `${service}-${index}`;
  const called: Record<string, string> = {};
  for (const [callee, setting] of callees[service]) {
    called[setting] = (await links.add(`${name}→${callee}`, backends(callee))).url;
  }
  const always = (port: number): readonly Backend[] => [{ port, isAvailable: () => true }];
  const broker = await links.add(`${name}→broker`, always(brokerPort));
  if (service in databaseNames) {
    const database = await links.add(`${name}→database`, always(databasePort));
    const schema = databaseNames[service as keyof typeof databaseNames];
    called.SPANWISE_DATABASE_URL = `mysql://${databaseUser}@127.0.0.1:${database.port}/${schema}`;
  }
  if (service === 'session' || service === 'tool-host') {
    const own = always(replicaPorts(service, ports)[index] ?? 0);
    called.SPANWISE_ADVERTISED_URL = (await links.add(`peer→${name}`, own)).url;
  }
  return {
    PATH: process.env.PATH,
    SPANWISE_LOG_LEVEL: 'info',
    SPANWISE_PAGE_TOKEN_KEY: '0'.repeat(64),
    SPANWISE_MODEL_BASE_URL: modelUrl,
    // By its key the provider knows who asks.
    OPENAI_API_KEY: name,
    SPANWISE_FAULTS_EFFECTS: effectsFile,
    SPANWISE_NATS_URL: `nats://127.0.0.1:${broker.port}`,
    ...timers.env,
    ...called,
    ...env,
  };
}
