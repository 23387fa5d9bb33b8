import type { SandboxCommand, SandboxExit, SandboxRunner } from './sandbox-runner.ts';

/** A sandbox in which no more than so many commands run at once in this process; the others wait in turn. */
export class SandboxSlots implements SandboxRunner {
  readonly level: SandboxRunner['level'];
  readonly #sandbox: SandboxRunner;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(sandbox: SandboxRunner, slots: number) {
    this.level = sandbox.level;
    this.#sandbox = sandbox;
    this.#free = slots;
  }

  check(signal: AbortSignal): Promise<void> {
    return this.#sandbox.check(signal);
  }

  async run(command: SandboxCommand, signal: AbortSignal): Promise<SandboxExit> {
    signal.throwIfAborted();
    await this.#take(signal);
    try {
      return await this.#sandbox.run(command, signal);
    } finally {
      this.#giveBack();
    }
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#sandbox[Symbol.asyncDispose]();
  }

  #take(signal: AbortSignal): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve();
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const begin = () => {
      signal.removeEventListener('abort', leave);
      resolve();
    };
    const leave = () => {
      this.#waiting.splice(this.#waiting.indexOf(begin), 1);
      reject(signal.reason);
    };
    this.#waiting.push(begin);
    signal.addEventListener('abort', leave, { once: true });
    return promise;
  }

  /** To who waits longest: the number that is taken stays. */
  #giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#free += 1;
    } else {
      next();
    }
  }
}
