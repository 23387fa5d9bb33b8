import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { constants, openSync } from 'node:fs';
import { chown, open } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { OuterUser } from './outer-user.ts';

const { O_RDONLY, O_NONBLOCK, O_WRONLY } = constants;
const execute = promisify(execFile);
/** Made at once: starting a program costs as much as starting a command. */
const batch = 16;

/** A pipe whose writing end a process is started with. */
export interface OutputPipe {
  /** Number of the writing end in this process. */
  readonly writer: number;
  /** To be called once the process has been started: the reading end ends when all others have closed theirs. */
  closeWriter(): Promise<void>;
  /** Resolves at its end. */
  readonly ended: Promise<void>;
  /** Ends it at once; it can then be used again. */
  close(): Promise<void>;
}

/**
 * Pipes for the output of commands. Node gives processes sockets, which can not be opened by a name: `> /dev/stderr` would fail
 * in every script. Named pipes can, and are used again once all ends are closed.
 */
export class OutputPipes {
  readonly #folder: string;
  readonly #user: OuterUser | undefined;
  readonly #free: string[] = [];
  #made = 0;

  constructor(folder: string, user: OuterUser | undefined) {
    this.#folder = folder;
    this.#user = user;
  }

  /** Throws a system error. */
  async open(output: (chunk: Uint8Array) => void): Promise<OutputPipe> {
    const path = this.#free.pop() ?? (await this.#make());
    // The reading end does not wait for a writer, and the writing end finds a reader: neither blocks.
    const socket = new Socket({ fd: openSync(path, O_RDONLY | O_NONBLOCK), readable: true, writable: false });
    const writer = await open(path, O_WRONLY);
    socket.on('data', output);
    const ended = once(socket, 'close').then(() => void this.#free.push(path));
    return {
      writer: writer.fd,
      closeWriter: () => writer.close(),
      ended,
      close: async () => {
        await writer.close().catch(() => undefined);
        socket.destroy();
        await ended;
      },
    };
  }

  async #make(): Promise<string> {
    const names = Array.from({ length: batch }, () => join(this.#folder, `pipe-${(this.#made += 1)}`));
    await execute('mkfifo', ['-m', '600', '--', ...names], { env: {}, cwd: '/' });
    for (const name of names) {
      await (this.#user === undefined ? undefined : chown(name, this.#user.uid, this.#user.gid));
    }
    this.#free.push(...names.slice(1));
    return names[0] ?? '';
  }
}
