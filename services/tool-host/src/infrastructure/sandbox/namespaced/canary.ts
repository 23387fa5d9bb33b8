import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sandboxUnavailable } from '../sandbox-errors.ts';
import type { SandboxCommand, SandboxExit, SandboxLimits } from '../sandbox-runner.ts';

/** Runs a script in a namespace with nothing of a view. */
export type RunCanary = (script: string, ask: Pick<SandboxCommand, 'limits' | 'output'>) => Promise<SandboxExit>;

/** What an attempt aims at: things of this process and this machine. */
interface CanaryTarget {
  /** A file that everybody on this machine can read. */
  readonly secretFile: string;
  /** A file of the program of this process. */
  readonly ownFile: string;
  /** Somebody listens there on 127.0.0.1. */
  readonly port: number;
  readonly pid: number;
}

const limits: SandboxLimits = {
  wallMs: 10_000,
  cpuSeconds: 5,
  memoryBytes: 256 * 1024 * 1024,
  processes: 32,
  openFiles: 64,
  outputBytes: 64 * 1024,
};

/** What a harmless command says. */
const works = 'the harmless command works';
const maxProcesses = 12;

/**
 * Tries to break out of a namespace, and that a harmless command works in it. Throws SANDBOX_UNAVAILABLE with what succeeded
 * that must not, or the other way round.
 */
export async function tryToBreakOut(run: RunCanary): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'spanwise-canary-'));
  const server = createServer((socket) => socket.destroy());
  try {
    const secretFile = join(folder, 'secret');
    await writeFile(secretFile, randomBytes(16).toString('hex'), { mode: 0o644 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const target = { secretFile, ownFile: fileURLToPath(import.meta.url), port, pid: process.pid };
    await attempt(run, canaryScript(target));
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function attempt(run: RunCanary, script: string): Promise<void> {
  const decoder = new TextDecoder();
  let text = '';
  let errors = '';
  const { exitCode } = await run(script, {
    limits,
    output: (stream, chunk) => {
      if (stream === 'stdout') {
        text += decoder.decode(chunk, { stream: true });
      } else {
        errors += Buffer.from(chunk).toString();
      }
    },
  });
  const lines = text.split('\n').filter((line) => line !== '');
  const escapes = lines.filter((line) => line !== works);
  if (escapes.length > 0) {
    throw sandboxUnavailable(`a command could break out (${escapes.join('; ').slice(0, 500)})`);
  }
  if (exitCode !== 0 || !lines.includes(works)) {
    throw sandboxUnavailable('a harmless command does not work', new TypeError(`${exitCode}: ${errors.slice(0, 500)}`));
  }
}

/** A script that says what it could do and must not, a line each, and at its end that it works. */
function canaryScript(target: CanaryTarget): string {
  return [
    `succeeded() { printf '%s\\n' "$1"; }`,
    `tries() { local what=$1; shift; if "$@" >/dev/null 2>&1; then succeeded "$what"; fi; }`,
    ...canaryAttempts(target).map(([what, command]) => `tries '${what}' bash -c ${quoted(command)}`),
    `echo x > /tmp/canary && [ "$(cat /tmp/canary)" = x ] && ls / >/dev/null && echo '${works}'`,
  ].join('\n');
}

/** What must fail, and a command for it that ends with 0 when it does not. */
function canaryAttempts({ secretFile, ownFile, port, pid }: CanaryTarget): readonly (readonly [string, string])[] {
  const environment = 'PATH|HOME|USER|LANG|TERM|PWD|OLDPWD|SHLVL|_';
  const parent = `/proc/${pid}`;
  return [
    ['read the password file', 'cat /etc/shadow'],
    ['read a file of the host', `cat ${quoted(secretFile)}`],
    ['read a file of tool-host', `cat ${quoted(ownFile)}`],
    ['read the environment of others', `cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -qvE '^(${environment})='`],
    ['see many processes', `set -- /proc/[0-9]*; [ $# -gt ${maxProcesses} ]`],
    ['see tool-host', `tr '\\0' ' ' < ${parent}/cmdline | grep -q node`],
    ['reach files through tool-host', `cat ${quoted(`${parent}/root${secretFile}`)}`],
    ['reach a port of the host', `: <> /dev/tcp/127.0.0.1/${port}`],
    ['see a network', 'grep -v lo: /proc/net/dev | grep -q :'],
    ['mount', 'mount -t tmpfs none /tmp'],
    ['make a user namespace', 'unshare --user true'],
    ['make a device', 'mknod /tmp/device c 1 3'],
    ['write to /usr', 'echo x > /usr/canary'],
    ['write to the root', 'echo x > /canary'],
    ['write to /etc', 'echo x > /etc/canary'],
    ['change the kernel', 'cat /proc/sys/kernel/core_pattern > /proc/sys/kernel/core_pattern'],
    ['have capabilities', `grep -E '^Cap(Prm|Eff|Bnd|Amb):' /proc/self/status | grep -qv 0000000000000000`],
    ['gain privileges', `grep -q '^NoNewPrivs:.0' /proc/self/status`],
    ['be root', '[ "$(id -u)" = 0 ]'],
  ];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
