import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Health, HealthCheckResponse_ServingStatus as Status } from '@spanwise/contracts/grpc/health/v1/health';
import { DomainError } from '@spanwise/kernel';
import type { Environment } from '@spanwise/service-kit';
import type { ServiceName } from './embedded-stack.ts';

/** A service in a process of its own. */
export interface ServiceProcess extends AsyncDisposable {
  readonly name: ServiceName;
  readonly url: string;
  /** The process that runs now, or ran last. */
  readonly child: ChildProcess;
  /** Drains the process, if it is alive, and starts it again at the same address. */
  restart(): Promise<void>;
}

const startTimeoutMs = 30_000;
/** How long a process may take to drain before it is killed. */
const stopTimeoutMs = 60_000;

/** Starts a service as its image does, and waits until its health says SERVING. */
export async function startServiceProcess(name: ServiceName, port: number, env: Environment): Promise<ServiceProcess> {
  const url = `http://127.0.0.1:${port}`;
  const start = async () => {
    const started = launch(name, [], { ...env, SPANWISE_PORT: String(port) });
    let output = '';
    started.stderr?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4000);
    });
    try {
      await serving(url, started);
    } catch (error) {
      await stop(started);
      throw new DomainError('unavailable', 'SERVICE_UNAVAILABLE', `${name} did not start: ${output}`, { cause: error });
    }
    return started;
  };
  let child = await start();
  return {
    name,
    url,
    get child() {
      return child;
    },
    async restart() {
      await stop(child);
      child = await start();
    },
    [Symbol.asyncDispose]: () => stop(child),
  };
}

/** The migration step of a service. */
export async function migrate(name: ServiceName, env: Environment): Promise<void> {
  const child = launch(name, ['migrate'], env);
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (code !== 0) {
    throw new DomainError('unavailable', 'DATABASE_UNAVAILABLE', `Migrating ${name} failed: ${output}`);
  }
}

function launch(name: ServiceName, args: readonly string[], env: Environment): ChildProcess {
  const main = fileURLToPath(import.meta.resolve(`@spanwise/${name}/composition-root`)).replace(
    'composition-root.ts',
    'main.ts',
  );
  const child = spawn(process.execPath, [main, ...args], { env: { ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}

async function serving(url: string, child: ChildProcess): Promise<void> {
  const health = createClient(Health, createGrpcTransport({ baseUrl: url }));
  const deadline = performance.now() + startTimeoutMs;
  for (;;) {
    const { status } = await health
      .check({ service: '' }, { timeoutMs: 1000 })
      .catch(() => ({ status: Status.UNKNOWN }));
    if (status === Status.SERVING) {
      return;
    }
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new DomainError('unavailable', 'SERVICE_UNAVAILABLE', 'not serving');
    }
    await delay(50);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await exited;
  clearTimeout(killer);
}
