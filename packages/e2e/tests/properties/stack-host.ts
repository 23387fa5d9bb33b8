import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  type EmbeddedStack,
  type EmbeddedStackOptions,
  type ServiceName,
  startEmbeddedStack,
} from '@spanwise/dev-stack';
import { expect } from 'vitest';

/** A stack that can be stopped and started again on the same data folder, at the same addresses. */
export interface StackHost extends AsyncDisposable {
  /** Address of the session service. */
  readonly url: string;
  /** Stops it, in good order or not, as the host does, and starts it again. */
  restart(): Promise<void>;
}

type Ports = Readonly<Record<ServiceName, number>>;

/** The stack in this process: a restart stops it in good order. */
export class EmbeddedHost implements StackHost {
  readonly url: string;
  readonly #options: EmbeddedStackOptions;
  #stack: EmbeddedStack;

  private constructor(options: EmbeddedStackOptions, stack: EmbeddedStack) {
    this.#options = { ...options, ports: portsOf(stack.urls) };
    this.#stack = stack;
    this.url = stack.urls.session;
  }

  static async start(options: EmbeddedStackOptions): Promise<EmbeddedHost> {
    return new EmbeddedHost(options, await startEmbeddedStack(options));
  }

  async restart(): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
    this.#stack = await startEmbeddedStack(this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

/** The stack in a process of its own: a restart kills it. */
export class KilledHost implements StackHost {
  readonly url: string;
  readonly #options: EmbeddedStackOptions;
  #child: ChildProcess;

  private constructor(options: EmbeddedStackOptions, { child, urls }: Launched) {
    this.#options = { ...options, ports: portsOf(urls) };
    this.#child = child;
    this.url = urls.session;
  }

  static async start(options: EmbeddedStackOptions): Promise<KilledHost> {
    return new KilledHost(options, await launch(options));
  }

  async restart(): Promise<void> {
    await this[Symbol.asyncDispose]();
    const { child } = await launch(this.#options);
    this.#child = child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exited;
    }
  }
}

interface Launched {
  readonly child: ChildProcess;
  readonly urls: EmbeddedStack['urls'];
}

async function launch(options: EmbeddedStackOptions): Promise<Launched> {
  const program = fileURLToPath(new URL('stack-program.ts', import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, urls: JSON.parse(line) as EmbeddedStack['urls'] };
  }
  return expect.fail('the stack did not start');
}

function portsOf(urls: EmbeddedStack['urls']): Ports {
  return Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, Number(new URL(url).port)])) as Ports;
}
