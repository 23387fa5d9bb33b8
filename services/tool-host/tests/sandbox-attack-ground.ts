import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import type { Files } from '@spanwise/tool-kit/contract';
import type { SandboxExit, SandboxRunner } from '../src/infrastructure/sandbox/sandbox-runner.ts';
import { InMemoryFiles } from './in-memory-files.ts';
import { type AttackTarget, attackLimits, type SandboxAttack } from './sandbox-attacks.ts';
import { ann, turnSpan } from './tool-calls.ts';

/** What came of an attack. */
interface AttackOutcome {
  /** `stopped`: it failed, or was killed at a limit. */
  readonly result: 'blocked' | 'stopped';
  /** What must not have happened; empty. */
  readonly breaches: readonly string[];
  readonly exit: SandboxExit;
}

/** A view with one file in it, for a command; the token of its calls is the test's. */
export function viewOf(files: InMemoryFiles, signal: AbortSignal = new AbortController().signal): Files {
  return files.bind({
    caller: ann,
    sessionId: brandId<SessionId>('s'),
    viewId: brandId<RunId>('r'),
    span: turnSpan,
    epoch: 1,
    idempotencyKey: '',
    signal,
  });
}

/** Things on this machine that attacks aim at. All of them are in a temporary folder and on loopback. */
export class AttackGround implements AsyncDisposable {
  readonly #folder: string;
  readonly #server: Server;
  readonly #attacked: { readonly name: string; readonly files: InMemoryFiles; readonly after: string }[] = [];
  readonly target: AttackTarget;
  #connections = 0;

  private constructor(folder: string, server: Server, target: AttackTarget) {
    this.#folder = folder;
    this.#server = server;
    this.target = target;
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        // Others of the machine may come by: only attacks say this.
        this.#connections += data.includes('knock') ? 1 : 0;
        socket.end();
      });
    });
  }

  static async prepare(): Promise<AttackGround> {
    const folder = await mkdtemp(join(tmpdir(), 'spanwise-attacks-'));
    const secret = `secret-${Math.random().toString(36).slice(2)}-of-the-host`;
    const secretFile = join(folder, 'secret');
    const emptyFolder = join(folder, 'empty');
    await writeFile(secretFile, secret);
    await mkdir(emptyFolder);
    process.env.SPANWISE_ATTACK_SECRET = secret;
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    return new AttackGround(folder, server, { secret, secretFile, emptyFolder, port, pid: process.pid });
  }

  async run(sandbox: SandboxRunner, { name, script }: SandboxAttack): Promise<AttackOutcome> {
    const files = new InMemoryFiles();
    files.put('/workspace/a.txt', 'a\n');
    const connections = this.#connections;
    const kernel = await kernelSettings();
    let output = '';
    const exit = await sandbox.run(
      {
        script: script(this.target),
        cwd: '/workspace',
        files: viewOf(files),
        limits: attackLimits,
        output: (_, chunk) => {
          output += Buffer.from(chunk).toString('latin1');
        },
      },
      new AbortController().signal,
    );
    const written = contentOf(files);
    this.#attacked.push({ name, files, after: written });
    const { secret, emptyFolder } = this.target;
    const breaches = [
      ...(output.includes('BREACH') || written.includes('BREACH') ? ['it says so'] : []),
      ...(output.includes(secret) || written.includes(secret) ? ['it has the secret'] : []),
      ...((await readdir(emptyFolder)).length > 0 ? ['it has written to the host'] : []),
      ...(this.#connections > connections ? ['it has connected'] : []),
      ...((await kernelSettings()) === kernel ? [] : ['it has changed the kernel']),
    ];
    const isStopped = exit.stoppedBy !== undefined || exit.exitCode !== 0;
    return { result: isStopped ? 'stopped' : 'blocked', breaches, exit };
  }

  /** Names of attacks of which something goes on: their files change after they have ended. */
  async stillRunning(): Promise<readonly string[]> {
    await sleep(500);
    return this.#attacked.filter(({ files, after }) => contentOf(files) !== after).map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    delete process.env.SPANWISE_ATTACK_SECRET;
    this.#server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function contentOf(files: InMemoryFiles): string {
  return files
    .under('/')
    .map((path) => `${path}\n${files.text(path)}\n`)
    .join('');
}

/** What an attack on /proc would change; empty where there is none. */
async function kernelSettings(): Promise<string> {
  const paths = ['/proc/self/oom_score_adj', '/proc/sys/kernel/core_pattern'];
  return (await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')))).join();
}
