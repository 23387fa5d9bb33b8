import { invariantBroken } from '@spanwise/kernel';
import type { FileMount } from '@spanwise/tool-kit/contract';
import { sandboxUnavailable } from '../sandbox-errors.ts';
import type { SandboxCommand, SandboxExit } from '../sandbox-runner.ts';
import type { CommandProcess, ProcessEnd } from './command-process.ts';
import { doFileOperation, errnoOf } from './file-operations.ts';
import { type FileOperation, maxFileOperations, type ProcessMessage } from './messages.ts';

/** Of the memory of a command, what its /tmp may hold. */
const scratchShare = 0.25;
/** 128 + SIGKILL. */
const killed = 137;
/** What Node says when there is no memory left. */
const outOfMemory = /out of memory|bad_alloc|Allocation failed|ERR_MEMORY_ALLOCATION_FAILED|Array buffer allocation/;
/** How long a process may take to begin. */
const startMs = 30_000;
/** How long is waited for operations on files that are under way when a command is killed. */
const settleMs = 5000;

type StoppedBy = NonNullable<SandboxExit['stoppedBy']>;

/** One command in its process: does for it what it asks for, keeps it within its limits, and tells how it ended. */
export class CommandRun {
  readonly #process: CommandProcess;
  readonly #command: SandboxCommand;
  readonly #underWay = new Set<Promise<void>>();
  #isOver = false;
  #stoppedBy: StoppedBy | undefined;
  #exitCode: number | undefined;
  #failure: { readonly error: unknown } | undefined;
  #outputBytes = 0;

  constructor(process: CommandProcess, command: SandboxCommand) {
    this.#process = process;
    this.#command = command;
  }

  /** Runs it to its end. Throws the reason of `signal`, SANDBOX_UNAVAILABLE, and what the files throw. */
  async finish(mounts: readonly FileMount[], signal: AbortSignal): Promise<SandboxExit> {
    const { script, cwd, limits } = this.#command;
    const abort = () => this.#stop();
    signal.addEventListener('abort', abort, { once: true });
    // A process that does not begin is stopped too; what it takes to begin is not of the command's time.
    let timer = setTimeout(abort, startMs);
    try {
      await this.#process.ready;
      clearTimeout(timer);
      timer = setTimeout(() => this.#stop('time'), limits.wallMs);
      const scratchBytes = Math.floor(limits.memoryBytes * scratchShare);
      this.#process.assign({ type: 'run', script, cwd, mounts, scratchBytes }, (message, data) =>
        this.#hear(message, data),
      );
      const end = await this.#process.ended;
      this.#isOver = true;
      const isSettled = await this.#settle();
      signal.throwIfAborted();
      return this.#exit(end, isSettled);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  #stop(stoppedBy?: StoppedBy): void {
    this.#isOver = true;
    this.#stoppedBy ??= stoppedBy;
    this.#process.kill();
  }

  #hear(message: ProcessMessage, data: Uint8Array): void {
    if (this.#isOver) {
      return;
    }
    switch (message.type) {
      case 'output':
        this.#put(message.stream, data);
        break;
      case 'file':
        this.#do(message.id, message, data);
        break;
      case 'exit':
        this.#exitCode = message.exitCode;
        this.#isOver = true;
        this.#process.kill();
        break;
      default:
        this.#fail(invariantBroken('a command was taken for a probe'));
    }
  }

  #put(stream: 'stdout' | 'stderr', data: Uint8Array): void {
    const room = this.#command.limits.outputBytes - this.#outputBytes;
    this.#outputBytes += data.length;
    if (room > 0) {
      this.#command.output(stream, data.slice(0, room));
    }
    if (data.length > room) {
      this.#stop('output');
    }
  }

  #do(id: number, asked: FileOperation, data: Uint8Array): void {
    if (this.#underWay.size >= maxFileOperations) {
      this.#fail(invariantBroken('a command asked for more of files at once than its program does'));
      return;
    }
    const done = this.#answer(id, asked, data).finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  async #answer(id: number, asked: FileOperation, data: Uint8Array): Promise<void> {
    try {
      const { value, data: answered } = await doFileOperation(this.#command.files, asked, data);
      this.#process.answer({ type: 'done', id, value }, answered);
    } catch (error) {
      const failure = errnoOf(error, asked);
      if (failure === undefined) {
        this.#fail(error);
      } else {
        this.#process.answer({ type: 'failed', id, ...failure });
      }
    }
  }

  #fail(error: unknown): void {
    if (!this.#isOver) {
      this.#failure = { error };
      this.#stop();
    }
  }

  /** Nothing of the command may change a file later. Answers whether that is certain. */
  async #settle(): Promise<boolean> {
    const { promise: tooLate, resolve } = Promise.withResolvers<false>();
    const timer = setTimeout(() => resolve(false), settleMs);
    try {
      return await Promise.race([Promise.all(this.#underWay).then(() => true), tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }

  #exit(end: ProcessEnd, isSettled: boolean): SandboxExit {
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
    const notices = isSettled ? [] : ['An operation on a file was still under way when the command was stopped.'];
    if (this.#exitCode !== undefined) {
      return { exitCode: this.#exitCode, stoppedBy: undefined, notices };
    }
    const stoppedBy = this.#stoppedBy ?? (this.#process.isKilled ? undefined : limitOf(end));
    if (stoppedBy === undefined) {
      throw sandboxUnavailable('the process of a command ended too early', end.trace);
    }
    return { exitCode: end.signal === undefined ? killed : end.exitCode, stoppedBy, notices };
  }
}

/** The limit that the kernel or Node has ended a process at. */
function limitOf({ signal, trace, exitCode }: ProcessEnd): StoppedBy | undefined {
  if (signal === 'SIGXCPU') {
    return 'cpu';
  }
  // Without memory for a message Node ends by one of these.
  const isFatal = signal === 'SIGABRT' || signal === 'SIGTRAP' || signal === 'SIGILL' || signal === 'SIGSEGV';
  return isFatal || signal === 'SIGKILL' || outOfMemory.test(trace) || exitCode === 134 ? 'memory' : undefined;
}
