import type { SandboxCommand, SandboxExit, SandboxRunner } from '../src/infrastructure/sandbox/sandbox-runner.ts';

/** What a command does: puts something out, and ends. */
export type Script = (
  command: SandboxCommand,
  signal: AbortSignal,
) => Promise<Partial<SandboxExit>> | Partial<SandboxExit>;

/** A sandbox in which commands are functions of the test. */
export class ScriptedSandbox implements SandboxRunner {
  readonly level = 'virtual';
  /** Commands that were begun, in order. */
  readonly commands: SandboxCommand[] = [];
  checkFailure: Error | undefined;
  isDisposed = false;
  readonly #script: Script;

  constructor(script: Script = () => ({})) {
    this.#script = script;
  }

  async check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.checkFailure !== undefined) {
      throw this.checkFailure;
    }
  }

  async run(command: SandboxCommand, signal: AbortSignal): Promise<SandboxExit> {
    signal.throwIfAborted();
    this.commands.push(command);
    return { exitCode: 0, stoppedBy: undefined, notices: [], ...(await this.#script(command, signal)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
  }
}
