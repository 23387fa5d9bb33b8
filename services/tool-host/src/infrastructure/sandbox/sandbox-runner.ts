import type { Files } from '@spanwise/tool-kit/contract';

/** How commands are kept apart from this process and machine; see docs/sandbox.md. */
export type SandboxLevel = 'virtual' | 'namespaced';

/** What a command may use. */
export interface SandboxLimits {
  /** Milliseconds of wall time. */
  readonly wallMs: number;
  /** Seconds of processor time. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly processes: number;
  readonly openFiles: number;
  /** Bytes that it may put out, both streams together, before it is killed. */
  readonly outputBytes: number;
}

/** 120 s of wall time, 60 s of processor time, 1 GiB, 256 processes, 256 open files, 8 MiB of output. */
export const defaultSandboxLimits: SandboxLimits = {
  wallMs: 120_000,
  cpuSeconds: 60,
  memoryBytes: 1024 * 1024 * 1024,
  processes: 256,
  openFiles: 256,
  outputBytes: 8 * 1024 * 1024,
};

/** A command to run. */
export interface SandboxCommand {
  /** What a shell is given. */
  readonly script: string;
  /** Absolute path in the view. */
  readonly cwd: string;
  /** The view of the run: what the command sees and changes; nothing else. */
  readonly files: Files;
  readonly limits: SandboxLimits;
  /** Told what the command puts out, as it comes. */
  readonly output: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;
}

/** How a command ended. */
export interface SandboxExit {
  /** 0 to 255; of a command that was killed what a shell would say: 128 + the signal. */
  readonly exitCode: number;
  /** The limit that it ran into; undefined when it ended by itself. */
  readonly stoppedBy: 'time' | 'cpu' | 'memory' | 'output' | undefined;
  /** For the model: files that the command left and that could not be taken over, and why; empty when there are none. */
  readonly notices: readonly string[];
}

/** Runs commands apart from this process. */
export interface SandboxRunner extends AsyncDisposable {
  readonly level: SandboxLevel;
  /** Tries to break out, once, at start. Throws SANDBOX_UNAVAILABLE with what is missing on this machine. */
  check(signal: AbortSignal): Promise<void>;
  /**
   * Runs a command to its end, and takes what it has changed over into the view. Throws the reason of `signal`, once nothing
   * of the command runs any more; SANDBOX_UNAVAILABLE when it could not be started; what the files throw.
   */
  run(command: SandboxCommand, signal: AbortSignal): Promise<SandboxExit>;
}
