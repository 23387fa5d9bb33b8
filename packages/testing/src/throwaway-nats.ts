import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, startServer, stopServer, waitFor } from './child-server.ts';
import type { ThrowawayServer } from './throwaway-mariadb.ts';

/** Starts a NATS server of its own on a free loopback port; undefined where none is installed. */
export async function startNats(port = -1): Promise<ThrowawayServer | undefined> {
  const program = findProgram('nats-server');
  if (program === undefined) {
    return undefined;
  }
  const folder = await mkdtemp(join(tmpdir(), 'spanwise-nats-'));
  const child = startServer(program, ['-a', '127.0.0.1', '-p', String(port), '--ports_file_dir', folder]);
  const url = await waitFor(child, async () => {
    const [file] = (await readdir(folder)).filter((name) => name.endsWith('.ports'));
    const ports = JSON.parse(await readFile(join(folder, file ?? ''), 'utf8')) as { nats?: readonly string[] };
    return ports.nats?.[0];
  });
  return {
    url,
    async [Symbol.asyncDispose]() {
      await stopServer(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
