import childProcess from 'node:child_process';
import cluster from 'node:cluster';
import dgram from 'node:dgram';
import dns from 'node:dns';
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import inspector from 'node:inspector';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Assignment } from '../messages.ts';
import type { Channel } from './channel.ts';
import { runScript } from './shell.ts';

type Probe = Extract<Assignment, { type: 'probe' }>;

const waitMs = 250;
/** No settings: there must be nothing in it. */
const { env: environment } = process;

/** What a process whose shell was broken through could do: each of these must fail. */
const attempts: Readonly<Record<string, (probe: Probe) => unknown>> = {
  'read a file of the host': ({ secretFile }) => fs.readFileSync(secretFile),
  'read a file of the host with promises': ({ secretFile }) => fsPromises.readFile(secretFile),
  'open a file of the host': ({ secretFile }) => fs.openSync(secretFile, 'r'),
  'list a folder of the host': ({ secretFile }) => fs.readdirSync(path.dirname(secretFile)),
  'see a file of the host': ({ secretFile }) => fs.statSync(secretFile),
  'read the processes of the host': () => fs.readFileSync('/proc/self/environ'),
  'write a file of the host': ({ secretFile }) => fs.writeFileSync(`${secretFile}.written`, 'x'),
  'write into the temporary folder': () => fs.mkdtempSync(path.join(tmpdir(), 'probe-')),
  'link to a file of the host': ({ secretFile }) => fs.symlinkSync(secretFile, `${secretFile}.link`),
  'see the environment': () => assertSome(Object.keys(environment)),
  'start a process': () => childProcess.spawnSync(process.execPath, ['--version']),
  'start a process later': () => settled(childProcess.spawn('/bin/sh', ['-c', 'true']), 'spawn'),
  'fork a process': () => cluster.fork(),
  'start a thread': () => settled(new Worker('0', { eval: true }), 'online'),
  'load native code': loadNative,
  'connect to the host': ({ port }) => settled(net.connect(port, '127.0.0.1'), 'connect'),
  'listen on a port': () => settled(net.createServer().listen(0, '127.0.0.1'), 'listening'),
  'send a datagram': ({ port }) => sent(port),
  'fetch from the host': ({ port }) => fetch(`http://127.0.0.1:${port}/`),
  'ask for a name': () => dns.promises.lookup('localhost'),
  'open the inspector': () => inspector.open(0),
  'allow itself more': () =>
    assertSome(['fs.write', 'child', 'worker', 'net'].filter((scope) => process.permission.has(scope))),
  'run code from a text': () => Reflect.construct(Function, ['return 1']),
};

/** Tries all of it, then a script in the shell. Answers the names of what succeeded, and what the script put out. */
export async function probe(assignment: Probe, channel: Channel): Promise<{ breaches: string[]; output: string }> {
  // Some of it fails later, where nobody can catch it.
  process.on('uncaughtException', () => undefined);
  const breaches: string[] = [];
  for (const [name, attempt] of Object.entries(attempts)) {
    if (await succeeds(() => attempt(assignment))) {
      breaches.push(name);
    }
  }
  const { script } = assignment;
  let output = '';
  const put: Channel['put'] = (_, data) => {
    output += Buffer.from(data).toString();
  };
  const captured = { put, ask: (operation, data) => channel.ask(operation, data) } as Channel;
  await runScript({ type: 'run', script, cwd: '/tmp', mounts: [], scratchBytes: 1024 * 1024 }, captured);
  return { breaches, output };
}

async function succeeds(attempt: () => unknown): Promise<boolean> {
  try {
    await attempt();
    return true;
  } catch {
    return false;
  }
}

function assertSome(values: readonly string[]): void {
  if (values.length === 0) {
    throw new TypeError('there is none');
  }
}

/** Waits for what tells of success; silence is failure. */
function settled(
  emitter: { on(event: string, listener: (value?: unknown) => void): unknown },
  event: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    emitter.on(event, () => resolve());
    emitter.on('error', reject);
    setTimeout(() => reject(new TypeError('nothing happened')), waitMs);
  });
}

/** Nothing is there to be loaded: it must not even be looked for. */
function loadNative(): void {
  try {
    process.dlopen({ exports: {} }, '/nowhere.node');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_DLOPEN_DISABLED') {
      throw error;
    }
  }
}

function sent(port: number): Promise<void> {
  const socket = dgram.createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.send('x', port, '127.0.0.1', (error) => (error === null ? resolve() : reject(error)));
  });
}
