import type { ChildProcess } from 'node:child_process';
import { startServer, stopServer, waitFor } from '@spanwise/testing';

export interface InfrastructureServerOptions {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Resolves true once it serves. */
  readonly isServing: () => Promise<boolean>;
}

/** The database or the broker: a server that can be killed, frozen and started again, on the same port and data. */
export class InfrastructureServer implements AsyncDisposable {
  readonly name: string;
  readonly #options: InfrastructureServerOptions;
  #child: ChildProcess | undefined;
  #isFrozen = false;

  constructor(options: InfrastructureServerOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** False once it has ended, by whatever cause. */
  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  async start(): Promise<void> {
    const child = startServer(this.#options.program, this.#options.args);
    this.#child = child;
    await waitFor(child, async () => ((await this.#options.isServing()) ? true : undefined));
  }

  /** Ends it at once, as a power cut of the process would, and resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) {
      return;
    }
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.#isFrozen = false;
    child.kill('SIGKILL');
    await exited;
  }

  freeze(): void {
    this.#isFrozen = this.#child?.kill('SIGSTOP') ?? false;
  }

  wake(): void {
    this.#child?.kill('SIGCONT');
    this.#isFrozen = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child === undefined) {
      return;
    }
    if (this.#isFrozen) {
      this.wake();
    }
    await stopServer(this.#child);
  }
}
