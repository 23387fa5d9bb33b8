import { AsyncLocalStorage } from 'node:async_hooks';
import { writeSync } from 'node:fs';
import { encodeFrame, FrameReader } from '../frames.ts';
import {
  type Assignment,
  type FileAnswer,
  type FileOperation,
  maxFileOperations,
  maxOutputPiece,
  maxPieceBytes,
  type ProcessMessage,
} from '../messages.ts';

/** What a file operation answers. */
export interface Answer {
  readonly value: unknown;
  readonly data: Uint8Array;
}

/** A file operation failed. `code` is one of errno, and stands in the message, where commands look for it. */
export class FileFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: FileFailure) => void;
}

const stdout = 1;
/** A page of a directory or a script is the largest that comes. */
const limits = { headBytes: 16 * 1024 * 1024, dataBytes: maxPieceBytes };

/**
 * The only way out of this process: frames on its standard input and output. Ends the process when the other side is gone.
 *
 * The shell takes timers and much else away from the code that it calls; what is done here is done outside of that.
 */
export class Channel {
  readonly #outside = AsyncLocalStorage.snapshot();
  readonly #reader = new FrameReader(limits);
  readonly #waiting = new Map<number, Waiting>();
  readonly #queue: (() => void)[] = [];
  readonly #assigned = Promise.withResolvers<Assignment>();
  #underWay = 0;
  #ids = 0;

  constructor() {
    process.stdin.on('data', (chunk: Buffer) => this.#receive(chunk));
    process.stdin.on('close', endProcess);
  }

  /** Says that the process is ready; answers what it is to do. */
  assignment(): Promise<Assignment> {
    this.#send({ type: 'ready' });
    return this.#assigned.promise;
  }

  /** Puts bytes out. Waits until they are taken, even when the shell leaves no time for anything else. */
  put(stream: 'stdout' | 'stderr', data: Uint8Array): void {
    for (let at = 0; at < data.length; at += maxOutputPiece) {
      this.#send({ type: 'output', stream }, data.subarray(at, at + maxOutputPiece));
    }
  }

  /** Says the last word. */
  end(message: Extract<ProcessMessage, { type: 'exit' | 'probed' }>): void {
    this.#send(message);
  }

  /** Has a file operation done. Rejects with a FileFailure. */
  ask(operation: FileOperation, data?: Uint8Array): Promise<Answer> {
    return this.#outside(async () => {
      if (this.#underWay < maxFileOperations) {
        this.#underWay += 1;
      } else {
        await new Promise<void>((resolve) => this.#queue.push(resolve));
      }
      try {
        return await this.#exchange(operation, data);
      } finally {
        const next = this.#queue.shift();
        if (next === undefined) {
          this.#underWay -= 1;
        } else {
          next();
        }
      }
    });
  }

  #exchange(operation: FileOperation, data: Uint8Array | undefined): Promise<Answer> {
    this.#ids += 1;
    const id = this.#ids;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, { resolve, reject });
    this.#send({ type: 'file', id, ...operation }, data);
    return promise;
  }

  /** At once and in one piece, whether the other side is slow or not. */
  #send(message: ProcessMessage, data?: Uint8Array): void {
    const frame = encodeFrame(message, data);
    for (let at = 0; at < frame.length; ) {
      at += writeSome(frame, at);
    }
  }

  #receive(chunk: Buffer): void {
    for (const { head, data } of this.#reader.push(chunk) ?? []) {
      // The other side is trusted: it is the one that has started this process.
      const message = head as Assignment | FileAnswer;
      if (message.type === 'run' || message.type === 'probe') {
        this.#assigned.resolve(message);
        continue;
      }
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.type === 'done') {
        waiting?.resolve({ value: message.value, data });
      } else {
        waiting?.reject(new FileFailure(message.code, message.message));
      }
    }
  }
}

/** Answers how much was taken; perhaps nothing, after a moment. */
function writeSome(frame: Uint8Array, at: number): number {
  try {
    return writeSync(stdout, frame, at);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      return 0;
    }
    // Nobody takes it any more.
    endProcess();
    return frame.length;
  }
}

/** Without anything that is left to do. */
export function endProcess(): void {
  process.kill(process.pid, 'SIGKILL');
}
