import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  copiesOf,
  dockerfileOf,
  environmentOf,
  lastOf,
  readStages,
  root,
  type ServiceName,
  type Variables,
} from './deploy-files.ts';

/** What a container would be, without Docker: a process on the files and with the environment that the image has. */
export interface Container extends AsyncDisposable {
  readonly url: string;
  /** Runs the health check of the image once. */
  health(): { readonly isHealthy: boolean; readonly said: string };
  /** Waits until the health check passes. Throws after 30 s, or when the process has ended. */
  healthy(): Promise<void>;
  /** Sends SIGTERM and answers the exit code; null when it had to be killed. */
  stop(): Promise<number | null>;
}

const healthyWithinMs = 30_000;
const stoppedWithinMs = 10_000;

/** Lays the files of an image out in a folder, by the COPY lines of its Dockerfile; the bundle has to be made already. */
export function layOut(service: ServiceName, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const { isOfContext, sources, target } of copiesOf(readStages(dockerfileOf(service)).at(-1) ?? [])) {
    for (const source of sources) {
      const from = join(root, isOfContext ? source : source.replace(/^\/src\//, ''));
      const isFolder = !basename(source).includes('.');
      cpSync(from, join(folder, target, isFolder ? '' : basename(source)), { recursive: true });
    }
  }
}

/** Runs the entry point of an image that was laid out. The address is a loopback one, whatever the image says. */
export function startContainer(service: ServiceName, folder: string, port: number, variables: Variables): Container {
  const image = readStages(dockerfileOf(service)).at(-1) ?? [];
  const address = { SPANWISE_HOST: '127.0.0.1', SPANWISE_PORT: String(port) };
  const env = { PATH: process.env.PATH, ...environmentOf(image), ...variables, ...address };
  const child = spawn(process.execPath, commandOf(lastOf(image, 'ENTRYPOINT')), {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const check = commandOf(lastOf(image, 'HEALTHCHECK')?.split(' CMD ')[1]);
  const health = () => {
    const { status, stderr } = spawnSync(process.execPath, check, { cwd: folder, env, encoding: 'utf8' });
    return { isHealthy: status === 0, said: stderr.trim() };
  };
  return {
    url: `http://127.0.0.1:${port}`,
    health,
    async healthy() {
      const deadline = performance.now() + healthyWithinMs;
      for (let { isHealthy, said } = health(); !isHealthy; { isHealthy, said } = health()) {
        if (child.exitCode !== null || performance.now() > deadline) {
          throw new RangeError(`${service} is not healthy: ${said}`);
        }
        await delay(100);
      }
    },
    stop: () => stop(child),
    async [Symbol.asyncDispose]() {
      await stop(child);
    },
  };
}

/** Runs an image to its end with arguments, as a job does, and answers its output. Throws when it fails. */
export function runJob(service: ServiceName, folder: string, args: readonly string[], variables: Variables): string {
  const image = readStages(dockerfileOf(service)).at(-1) ?? [];
  const env = { PATH: process.env.PATH, ...environmentOf(image), ...variables };
  const command = [...commandOf(lastOf(image, 'ENTRYPOINT')), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: folder, env, encoding: 'utf8' });
  if (status !== 0) {
    throw new RangeError(`${service} ${args.join(' ')} failed: ${stderr}`);
  }
  return stdout;
}

/** A loopback port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The arguments of `["node", …]`. */
function commandOf(text = '[]'): string[] {
  const [program, ...args] = JSON.parse(text) as string[];
  if (program !== 'node') {
    throw new RangeError(`not run by node: ${text}`);
  }
  return args;
}

async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), stoppedWithinMs);
    await exited;
    clearTimeout(killer);
  }
  return child.exitCode;
}
