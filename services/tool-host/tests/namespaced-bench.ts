import { readdir, readFile } from 'node:fs/promises';
import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import type { Files } from '@spanwise/tool-kit/contract';
import {
  NamespacedSandbox,
  type NamespacedSettings,
} from '../src/infrastructure/sandbox/namespaced/namespaced-sandbox.ts';
import {
  defaultSandboxLimits,
  type SandboxExit,
  type SandboxLimits,
} from '../src/infrastructure/sandbox/sandbox-runner.ts';
import { InMemoryFiles } from './in-memory-files.ts';
import { ann, turnSpan } from './tool-calls.ts';

/** What came of a command. */
export interface BenchedExit extends SandboxExit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Commands in namespaces, on files in memory. */
export class NamespacedBench implements AsyncDisposable {
  readonly memory = new InMemoryFiles();
  readonly sandbox: NamespacedSandbox;

  constructor(settings: NamespacedSettings) {
    this.sandbox = new NamespacedSandbox(settings);
  }

  get files(): Files {
    return this.memory.bind({
      caller: ann,
      sessionId: brandId<SessionId>('01920000-0000-7000-8000-000000000001'),
      viewId: brandId<RunId>('01920000-0000-7000-8000-000000000002'),
      span: turnSpan,
      epoch: 1,
      idempotencyKey: '',
      signal: new AbortController().signal,
    });
  }

  async run(
    script: string,
    { cwd = '/workspace', files = this.files, signal = new AbortController().signal, ...limits }: BenchedRun = {},
  ): Promise<BenchedExit> {
    const told = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
    const exit = await this.sandbox.run(
      {
        ...{ script, cwd, files },
        limits: { ...defaultSandboxLimits, wallMs: 20_000, ...limits },
        output: (stream, chunk) => void told[stream].push(chunk),
      },
      signal,
    );
    const text = (chunks: readonly Uint8Array[]) => Buffer.concat(chunks).toString();
    return { ...exit, stdout: text(told.stdout), stderr: text(told.stderr) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox[Symbol.asyncDispose]();
  }
}

export interface BenchedRun extends Partial<SandboxLimits> {
  readonly cwd?: string;
  readonly files?: Files;
  readonly signal?: AbortSignal;
}

/** Processes of this machine that run, and have a word in their command line. */
export async function processesWith(word: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name)).map(Number);
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((pid, index) => pid !== process.pid && lines[index]?.includes(word));
}
