import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sandboxUnavailable } from '../sandbox-errors.ts';
import type { CommandProcess } from './command-process.ts';
import type { ProcessMessage } from './messages.ts';

type Probed = Extract<ProcessMessage, { readonly type: 'probed' }>;

/** Long: machines are busy when services start. */
const limitMs = 60_000;

/**
 * Has a process try to break out: as a program that its shell was broken through by, and as a script. There is something to be
 * had: a file with a secret, and a port where this process listens. Throws SANDBOX_UNAVAILABLE when anything of it succeeds.
 */
export async function checkIsolation(process: CommandProcess, signal: AbortSignal): Promise<void> {
  const secret = randomBytes(16).toString('hex');
  const folder = await mkdtemp(join(tmpdir(), 'spanwise-sandbox-check-'));
  // Others of the machine may come by: only who says this comes from the process.
  const knock = randomBytes(16).toString('hex');
  let isReached = false;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      isReached ||= data.includes(knock);
    });
    socket.setTimeout(1000, () => socket.destroy());
  });
  try {
    const secretFile = join(folder, 'secret');
    await writeFile(secretFile, secret, { mode: 0o600 });
    const port = await listen(server);
    const { breaches, output } = await probed(
      process,
      { secretFile, port, script: scriptFor(secretFile, port, knock) },
      signal,
    );
    const all = [
      ...breaches,
      ...(output.includes(secret) ? ['read a file of the host in the shell'] : []),
      ...(output.includes('alive') ? [] : ['run a script']),
      ...(isReached ? ['reach a port of the host'] : []),
    ];
    if (all.length > 0) {
      throw sandboxUnavailable(`a process that has no permissions could ${all.join(', ')}`);
    }
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function scriptFor(secretFile: string, port: number, knock: string): string {
  return `cat '${secretFile}'; cat < '${secretFile}'; env; echo ${knock} > /dev/tcp/127.0.0.1/${port}; echo alive`;
}

async function probed(
  process: CommandProcess,
  facts: { readonly secretFile: string; readonly port: number; readonly script: string },
  signal: AbortSignal,
): Promise<Probed> {
  const { promise, resolve, reject } = Promise.withResolvers<Probed>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(() => reject(sandboxUnavailable('its process does not answer')), limitMs);
  void process.ended.then(({ exitCode, trace }) =>
    reject(sandboxUnavailable(`its process ended with ${exitCode}: ${trace}`)),
  );
  try {
    await Promise.race([process.ready, promise]);
    process.assign({ type: 'probe', ...facts }, (message) => {
      if (message.type === 'probed') {
        resolve(message);
      }
    });
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

function listen(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
