import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '@spanwise/service-kit';
import { ensureDatabase } from '@spanwise/testing';
import { createConnection } from 'mysql2/promise';
import type { Random } from '../random.ts';
import { startBrokerServer } from './broker-server.ts';
import { databaseNames, databaseUser } from './database-names.ts';
import { serverUrl, startDatabaseServer } from './database-server.ts';
import { type EffectLine, parseEffects } from './effect-line.ts';
import { freePorts } from './free-ports.ts';
import type { InfrastructureServer } from './infrastructure-server.ts';
import { LinkTable } from './link-table.ts';
import { migrate } from './migrate.ts';
import { type LogCounts, sumCounts } from './service-log.ts';
import type { ServiceProcess } from './service-process.ts';
import { type ServiceName, serviceNames } from './service-program.ts';
import type { ClusterTimers } from './timers.ts';
import { wireReplicas } from './wire-replicas.ts';

export interface ClusterOptions {
  readonly timers: ClusterTimers;
  readonly random: Random;
  readonly modelUrl: string;
  /** More settings for all services. */
  readonly env?: Environment;
  /** Where the database keeps its data; default a folder of the cluster. */
  readonly databaseFolder?: string;
  /** Folder that is left behind with the logs; default: they go with the rest. */
  readonly logFolder?: string | undefined;
}

/** Two replicas of every service on a database and a broker of their own, all links in the hands of the suite. */
export interface Cluster extends AsyncDisposable {
  readonly replicas: readonly ServiceProcess[];
  readonly database: InfrastructureServer;
  readonly broker: InfrastructureServer;
  /** Of the broker, past all links. */
  readonly brokerPort: number;
  readonly links: LinkTable;
  readonly timers: ClusterTimers;
  /** Where the database keeps its data. */
  readonly databaseFolder: string;
  /** Server with the databases, past all links. */
  readonly databaseServerUrl: string;
  /** Where clients call: balanced over both replicas of session, or to one of them. */
  readonly sessionUrls: { readonly balanced: string; readonly pinned: readonly string[] };
  of(service: ServiceName): readonly ServiceProcess[];
  effects(): Promise<readonly EffectLine[]>;
  /** What all replicas have logged so far. */
  logCounts(): LogCounts;
  /** Resolves when every replica is ready. */
  untilReady(): Promise<void>;
}

const replicasPerService = 2;

/** Starts everything and resolves when all of it is ready. Disposing it leaves nothing behind. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  await using resources = new AsyncDisposableStack();
  // Each process of a cluster has one that ends it with the suite.
  process.setMaxListeners(64);
  const folder = await mkdtemp(join(tmpdir(), 'spanwise-faults-'));
  // Also when the suite ends in the middle; the processes are ended by then.
  const removeNow = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', removeNow);
  resources.defer(async () => {
    process.off('exit', removeNow);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const logFolder = options.logFolder ?? folder;
  const databaseFolder = options.databaseFolder ?? join(folder, 'database');
  await Promise.all([mkdir(logFolder, { recursive: true }), mkdir(databaseFolder, { recursive: true })]);
  const effectsFile = join(folder, 'effects.jsonl');
  await writeFile(effectsFile, '');

  const [databasePort = 0, brokerPort = 0, ...ports] = await freePorts(2 + serviceNames.length * replicasPerService);
  const database = resources.use(await startDatabaseServer({ port: databasePort, folder: databaseFolder }));
  const broker = resources.use(await startBrokerServer(brokerPort));
  // Starting a process again and again costs the machine less when its code is kept compiled.
  const env = { ...options.env, NODE_COMPILE_CACHE: join(folder, 'compiled') };
  await makeDatabases(databasePort, env);

  const links = new LinkTable();
  const wired = await wireReplicas({ ...options, env, links, ports, databasePort, brokerPort, effectsFile, logFolder });
  const replicas = wired.replicas;
  // Replicas end before the links that they use.
  resources.use(links);
  replicas.forEach((replica) => resources.use(replica));
  await Promise.all(replicas.map((replica) => replica.start()));
  const owned = resources.move();
  return {
    ...{ replicas, database, broker, links, timers: options.timers, sessionUrls: wired.sessionUrls },
    ...{ brokerPort, databaseFolder, databaseServerUrl: serverUrl(databasePort) },
    of: (service) => replicas.filter((replica) => replica.service === service),
    logCounts: () => sumCounts(replicas.map((replica) => replica.logCounts)),
    effects: async () => parseEffects(await readFile(effectsFile, 'utf8')),
    untilReady: async () => {
      await Promise.all(replicas.map((replica) => replica.untilReady()));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Makes and migrates the databases, and a user for the services who is no administrator. */
async function makeDatabases(port: number, more: Environment): Promise<void> {
  const env = { ...more, PATH: process.env.PATH, SPANWISE_PAGE_TOKEN_KEY: '0'.repeat(64) };
  const services = Object.entries(databaseNames) as [ServiceName, string][];
  await Promise.all(
    services.map(async ([service, name]) => {
      await migrate(service, { ...env, SPANWISE_DATABASE_URL: await ensureDatabase(serverUrl(port), name) });
    }),
  );
  const connection = await createConnection(serverUrl(port));
  await connection.query(`create user if not exists ${databaseUser}@'%'`);
  for (const name of Object.values(databaseNames)) {
    await connection.query(`grant all on ${name}.* to ${databaseUser}@'%'`);
  }
  await connection.end();
}
