import type { SandboxCommand, SandboxExit, SandboxRunner } from './sandbox-runner.ts';

/** Is told how the check went: undefined when nothing could break out, else why no command is run. */
export type OnChecked = (level: SandboxRunner['level'], failure: unknown) => void;

/**
 * A sandbox that is checked as soon as it is made, while the service starts. No command runs before the check has gone well;
 * after one that has not each ends as the check did, with SANDBOX_UNAVAILABLE.
 */
export class CheckedSandbox implements SandboxRunner {
  readonly level: SandboxRunner['level'];
  readonly #sandbox: SandboxRunner;
  readonly #disposed = new AbortController();
  readonly #checked: Promise<void>;

  constructor(sandbox: SandboxRunner, onChecked: OnChecked) {
    this.level = sandbox.level;
    this.#sandbox = sandbox;
    this.#checked = sandbox.check(this.#disposed.signal);
    this.#checked.then(
      () => onChecked(this.level, undefined),
      (error: unknown) => {
        if (!this.#disposed.signal.aborted) {
          onChecked(this.level, error);
        }
      },
    );
  }

  /** Waits for the check that was begun. */
  async check(signal: AbortSignal): Promise<void> {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => reject(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([this.#checked, aborted]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async run(command: SandboxCommand, signal: AbortSignal): Promise<SandboxExit> {
    await this.check(signal);
    return this.#sandbox.run(command, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
    await this.#checked.catch(() => undefined);
    await this.#sandbox[Symbol.asyncDispose]();
  }
}
