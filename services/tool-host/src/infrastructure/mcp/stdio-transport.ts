import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { invariantBroken } from '@spanwise/kernel';
import type { CallLog } from '@spanwise/tool-kit/contract';
import type { StdioServer } from '../servers/tool-server.ts';
import { pipeBroken } from './mcp-errors.ts';
import { MessageLines } from './message-lines.ts';
import { remoteError } from './remote-text.ts';

export interface StdioTransportOptions {
  readonly server: StdioServer;
  /** What the program finds others in. */
  readonly path: string;
  readonly log: CallLog;
}

/** Time that a program has to end by itself, and then after it was asked to. */
const endMs = 500;
const termMs = 1500;
const keptErrorBytes = 2048;

/**
 * A program that speaks MCP over its standard input and output. It gets the environment of its settings and `PATH`, nothing
 * else of this process; works in a folder of its own, which is removed with it; and leads a group of processes, so that what
 * it has started ends with it. The SDK's own transport hands on part of the environment and ends the program only.
 */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];
  readonly #options: StdioTransportOptions;
  #child: ChildProcessWithoutNullStreams | undefined;
  #folder = '';
  #closed: Promise<void> | undefined;
  #errors = Buffer.alloc(0);
  #rubbish = 0;

  constructor(options: StdioTransportOptions) {
    this.#options = options;
  }

  /** By this and `stderr` the SDK knows that a server that does not answer at first is an old one. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get stderr(): null {
    return null;
  }

  async start(): Promise<void> {
    if (this.#closed !== undefined) {
      throw pipeBroken();
    }
    if (this.#child !== undefined) {
      throw invariantBroken('a transport was started twice');
    }
    const { server, path } = this.#options;
    this.#folder = await mkdtemp(join(tmpdir(), 'spanwise-mcp-'));
    if (this.#closed !== undefined) {
      // Meanwhile: nothing would end a program that begins now.
      await this.#removeFolder();
      throw pipeBroken();
    }
    const child = spawn(server.command, [...server.args], {
      env: { PATH: path, ...server.env },
      cwd: this.#folder,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      windowsHide: true,
    });
    this.#child = child;
    this.#listen(child);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    }).catch(async (error: unknown) => {
      await this.#removeFolder();
      throw error;
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin;
    if (stdin === undefined || !stdin.writable || this.#closed !== undefined) {
      throw pipeBroken();
    }
    // Not waited for: a program that does not read would hold whoever sends; its call has a deadline anyway.
    stdin.write(`${JSON.stringify(message)}\n`);
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  #listen(child: ChildProcessWithoutNullStreams): void {
    const { log } = this.#options;
    const lines = new MessageLines({
      onMessage: (message) => this.#deliver(message),
      onRubbish: () => {
        this.#rubbish += 1;
      },
    });
    child.on('error', (error) => this.onerror?.(error));
    child.stdin.on('error', (error) => this.onerror?.(error));
    child.stdout.on('data', (chunk: Buffer) => lines.append(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      this.#errors = Buffer.concat([this.#errors, chunk.subarray(-keptErrorBytes)]).subarray(-keptErrorBytes);
    });
    // Not `close`: what it has started may hold its pipes for ever.
    child.once('exit', (code, signal) => {
      const last = remoteError(this.#errors.toString('utf8').trim().split('\n').at(-1) ?? '');
      log.info({ code, signal, rubbish_lines: this.#rubbish, last_error: last }, 'mcp program has ended');
      void this.close();
      this.onclose?.();
    });
  }

  /** The SDK looks at notifications a turn later: progress that comes just before its answer would be for nobody. */
  #deliver(message: JSONRPCMessage): void {
    if ('method' in message) {
      this.onmessage?.(message);
    } else {
      queueMicrotask(() => this.onmessage?.(message));
    }
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) {
      return;
    }
    const gone = new Promise<void>((resolve) => {
      child.once('exit', resolve);
      if (child.exitCode !== null || child.signalCode !== null) {
        resolve();
      }
    });
    child.stdin.end();
    if (!(await endsWithin(gone, endMs))) {
      killGroup(child.pid, 'SIGTERM');
      await endsWithin(gone, termMs);
    }
    // In any case: what it has started may be left.
    killGroup(child.pid, 'SIGKILL');
    await gone;
    child.stdout.destroy();
    child.stderr.destroy();
    await this.#removeFolder();
  }

  async #removeFolder(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function endsWithin(gone: Promise<void>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const ended = await Promise.race([gone.then(() => true), late]);
  clearTimeout(timer);
  return ended;
}

/** All processes of a group whose leader we started. */
function killGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nothing of it is left.
  }
}
