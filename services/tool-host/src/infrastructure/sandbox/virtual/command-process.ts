import { constants } from 'node:os';
import { encodeFrame, FrameReader } from './frames.ts';
import { type LaunchLimits, launchProcess, type SandboxedProcess } from './launch.ts';
import { type Assignment, type FileAnswer, maxWriteBytes, type ProcessMessage } from './messages.ts';
import { parseProcessMessage } from './process-messages.ts';

/** How a process has ended. */
export interface ProcessEnd {
  /** 0 to 255, or 128 + the signal. */
  readonly exitCode: number;
  readonly signal: NodeJS.Signals | undefined;
  /** The end of what Node has said about it: for the log. */
  readonly trace: string;
}

/** Is told what the process says. What is no message ends the process. */
export type OnMessage = (message: ProcessMessage, data: Uint8Array) => void;

const frameLimits = { headBytes: 64 * 1024, dataBytes: maxWriteBytes };
const maxTrace = 4096;

/** A process of {@link launchProcess}, which runs one command and is gone then. */
export class CommandProcess {
  readonly limits: LaunchLimits;
  /** Resolves when the process takes an assignment, or has ended. */
  readonly ready: Promise<void>;
  /** Resolves when nothing of it is left, and all that it has said was told. */
  readonly ended: Promise<ProcessEnd>;
  readonly #process: SandboxedProcess;
  #onMessage: OnMessage = () => undefined;
  #trace = '';
  #isKilled = false;

  constructor(limits: LaunchLimits) {
    this.limits = limits;
    this.#process = launchProcess(limits);
    const { promise: ready, resolve: setReady } = Promise.withResolvers<void>();
    this.ready = ready;
    const reader = new FrameReader(frameLimits);
    this.#process.stdout.on('data', (chunk: Buffer) => this.#receive(reader, chunk, setReady));
    this.#process.stderr.on('data', (chunk: Buffer) => {
      this.#trace = (this.#trace + chunk.toString()).slice(-maxTrace);
    });
    // A process that is gone takes nothing any more.
    this.#process.stdin.on('error', () => undefined);
    this.ended = this.#end().finally(setReady);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** It was ended from here. */
  get isKilled(): boolean {
    return this.#isKilled;
  }

  get isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null && this.#process.pid !== undefined;
  }

  assign(assignment: Assignment, onMessage: OnMessage): void {
    this.#onMessage = onMessage;
    this.#process.stdin.write(encodeFrame(assignment));
  }

  answer(answer: FileAnswer, data?: Uint8Array): void {
    this.#process.stdin.write(encodeFrame(answer, data));
  }

  /** At once, with all that it may have started. Nothing that it says is told any more. */
  kill(): void {
    this.#isKilled = true;
    this.#onMessage = () => undefined;
    const { pid } = this.#process;
    if (pid !== undefined && this.isAlive) {
      this.#process.kill('SIGKILL');
    }
    this.#process.stdin.destroy();
    this.#process.stdout.destroy();
  }

  #receive(reader: FrameReader, chunk: Buffer, setReady: () => void): void {
    const frames = reader.push(chunk);
    for (const { head, data } of frames ?? []) {
      const message = parseProcessMessage(head);
      if (message === undefined) {
        this.#refuse();
        return;
      }
      if (message.type === 'ready') {
        setReady();
      } else {
        this.#onMessage(message, data);
      }
    }
    if (frames === undefined) {
      this.#refuse();
    }
  }

  /** It says what its program never would. */
  #refuse(): void {
    this.#trace = `not a message of this program; ${this.#trace}`;
    this.kill();
  }

  #end(): Promise<ProcessEnd> {
    return new Promise((resolve) => {
      this.#process.on('error', (error) => {
        this.#trace += String(error);
        resolve({ exitCode: 127, signal: undefined, trace: this.#trace });
      });
      this.#process.on('close', (code, signal) => {
        const exitCode = signal === null ? (code ?? 0) : 128 + constants.signals[signal];
        resolve({ exitCode, signal: signal ?? undefined, trace: this.#trace });
      });
    });
  }
}
