import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { sandboxUnavailable } from '../sandbox-errors.ts';
import type { SandboxLimits } from '../sandbox-runner.ts';
import { bwrapArguments, descriptors, type Namespace, outerArguments } from './bwrap-arguments.ts';
import { errorCodeOf } from './error-code.ts';
import { isRunning, processFactsNow } from './host-process.ts';
import type { OuterUser } from './outer-user.ts';
import type { OutputPipes } from './output-pipes.ts';
import { exitCodeOf, readyLine, supervisorScript } from './supervisor.ts';

/** What is to be started. */
export interface SandboxStart {
  /** Bubblewrap. */
  readonly program: string;
  readonly namespace: Namespace;
  readonly user: OuterUser | undefined;
  readonly limits: SandboxLimits;
  readonly maxFileBytes: number;
  readonly pipes: OutputPipes;
  /** Told what the command puts out, as it comes. */
  readonly output: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;
  /** Is given bubblewrap and the init of the namespace before that has any child: for control groups. */
  readonly confine: (pids: readonly number[]) => Promise<void>;
}

/** How long bubblewrap may take to set a namespace up. */
const startMs = 10_000;
/** What of bubblewrap's own words is kept for the log. */
const maxErrorLength = 2000;
const killedExitCode = 128 + 9;

/** A command in its namespace: two bubblewraps, the supervisor and the command. */
export class SandboxProcess {
  /** The init of the outer namespace, as the host counts: with it everything in the namespaces ends. */
  readonly initPid: number;
  /** Resolves with the command's exit code once nothing of the namespace runs any more, and all output has been told. */
  readonly ended: Promise<number>;
  readonly #started: StartedBwrap;

  private constructor(started: StartedBwrap, initPid: number, told: Promise<string | undefined>) {
    this.#started = started;
    this.initPid = initPid;
    this.ended = this.#end(told);
  }

  /**
   * Sets the namespace up; the command waits for {@link SandboxProcess.go}. Throws SANDBOX_UNAVAILABLE, and then nothing runs.
   */
  static async start(start: SandboxStart): Promise<SandboxProcess> {
    const words = new StartWords(start.output);
    const started = await spawnBwrap(start, words);
    const { bwrap, channels } = started;
    try {
      channels.arguments.end(`${bwrapArguments(start.namespace).join('\0')}\0`);
      const initPid = await within(started, initPidOf(channels.status));
      await start.confine([bwrap.pid ?? 0, initPid]);
      channels.block.end('.');
      const told = linesOf(channels.gate);
      if ((await within(started, told.next())).value !== readyLine) {
        throw new TypeError('the supervisor did not start');
      }
      words.end();
      return new SandboxProcess(
        started,
        initPid,
        told.next().then(
          ({ value }) => value,
          // Killed with something unread in its channel.
          () => undefined,
        ),
      );
    } catch (error) {
      // An init that bubblewrap leaves behind finds its pipes closed, and ends.
      bwrap.kill('SIGKILL');
      channels.arguments.destroy();
      channels.block.destroy();
      channels.gate.destroy();
      await started.closed;
      throw unavailable(words.failure ?? error, words.text);
    }
  }

  /** Lets the command begin. */
  go(): void {
    this.#started.channels.gate.write('go\n');
  }

  /** Kills everything in the namespace. {@link SandboxProcess.ended} tells when it is over. */
  kill(): void {
    const { bwrap } = this.#started;
    // The init is reaped by bubblewrap only: while that runs, the id can be nobody else's.
    if (
      bwrap.exitCode === null &&
      bwrap.signalCode === null &&
      processFactsNow(this.initPid)?.parentPid === bwrap.pid &&
      isKilled(this.initPid)
    ) {
      return;
    }
    bwrap.kill('SIGKILL');
  }

  async #end(told: Promise<string | undefined>): Promise<number> {
    const { closed, channels } = this.#started;
    const line = await Promise.race([told, closed.then(() => undefined)]);
    const exitCode = line === undefined ? undefined : exitCodeOf(line);
    this.kill();
    const bwrapCode = await closed;
    // Had the command killed the supervisor, bubblewrap ended with that, and the init dies of bubblewrap's end.
    while (await isRunning(this.initPid)) {
      await delay(2);
    }
    channels.gate.destroy();
    return exitCode ?? bwrapCode ?? killedExitCode;
  }
}

/** False when it has ended by itself since it was looked at. */
function isKilled(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errorCodeOf(error) === 'ESRCH') {
      return false;
    }
    throw error;
  }
}

/** Bubblewrap, as it was started. */
interface StartedBwrap {
  readonly bwrap: ChildProcess;
  readonly channels: Channels;
  /** Resolves with its exit code once it and whoever had its output have ended, also when it could not be started. */
  readonly closed: Promise<number | null>;
}

interface Channels {
  readonly arguments: Duplex;
  readonly status: Duplex;
  readonly block: Duplex;
  readonly gate: Duplex;
}

async function spawnBwrap(
  { program, user, limits, maxFileBytes, pipes, output }: SandboxStart,
  words: StartWords,
): Promise<StartedBwrap> {
  const stdout = await pipes.open((chunk) => output('stdout', chunk));
  const stderr = await pipes.open((chunk) => words.take(chunk));
  const supervisor = ['/bin/bash', '--norc', '-c', supervisorScript(limits, maxFileBytes), 'supervisor'];
  const inner = [program, '--args', String(descriptors.arguments), '--', ...supervisor];
  const bwrap = spawn(program, [...outerArguments, '--', ...inner], {
    // Not even bubblewrap has anything of this process: `--clearenv` does not hide its own environment in /proc.
    env: {},
    cwd: '/',
    stdio: ['ignore', stdout.writer, stderr.writer, 'pipe', 'pipe', 'pipe', 'pipe'],
    ...user,
  });
  bwrap.once('error', (error) => {
    words.failure = error;
  });
  // Before anything is waited for: what could not be started closes at once.
  const exited = new Promise<number | null>((resolve) => {
    bwrap.once('close', resolve);
  });
  await Promise.all([stdout.closeWriter(), stderr.closeWriter()]);
  const closed = Promise.all([exited, stdout.ended, stderr.ended]).then(([code]) => code);
  return { bwrap, channels: channelsOf(bwrap), closed };
}

/** Until the supervisor is there, what comes on the standard error is bubblewrap's. */
class StartWords {
  text = '';
  /** Why bubblewrap could not be started at all. */
  failure: Error | undefined;
  readonly #output: SandboxStart['output'];
  #isStarting = true;

  constructor(output: SandboxStart['output']) {
    this.#output = output;
  }

  take(chunk: Uint8Array): void {
    if (this.#isStarting) {
      this.text = `${this.text}${new TextDecoder().decode(chunk)}`.slice(0, maxErrorLength);
    } else {
      this.#output('stderr', chunk);
    }
  }

  end(): void {
    this.#isStarting = false;
  }
}

function channelsOf({ stdio }: ChildProcess): Channels {
  const channel = (descriptor: number) => {
    const stream = (stdio as readonly unknown[])[descriptor] as Duplex;
    // Whoever is at the other end may be dead already; how it ended is told elsewhere.
    stream.on('error', () => undefined);
    return stream;
  };
  return {
    arguments: channel(descriptors.arguments),
    status: channel(descriptors.status),
    block: channel(descriptors.block),
    gate: channel(descriptors.gate),
  };
}

/** Fails when bubblewrap ends before `work` is done, or takes too long. */
async function within<Result>({ closed }: StartedBwrap, work: Promise<Result>): Promise<Result> {
  const over = new AbortController();
  const failure = (what: string) => () => {
    throw new TypeError(what);
  };
  try {
    return await Promise.race([
      work,
      closed.then(failure('bubblewrap ended')),
      delay(startMs, undefined, { signal: over.signal }).then(failure('bubblewrap did not start')),
    ]);
  } finally {
    over.abort();
  }
}

async function initPidOf(status: Readable): Promise<number> {
  const [, pid] = /"child-pid": ([0-9]+)/.exec((await linesOf(status).next()).value ?? '') ?? [];
  // Nobody reads on, and a full pipe would hold bubblewrap.
  status.resume();
  if (pid === undefined) {
    throw new TypeError('bubblewrap did not tell its child');
  }
  return Number(pid);
}

function linesOf(input: Readable): AsyncIterator<string, string | undefined> {
  return createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]() as AsyncIterator<
    string,
    string | undefined
  >;
}

function unavailable(error: unknown, words: string): Error {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    return sandboxUnavailable('bubblewrap (bwrap) is not installed', error);
  }
  if (/source path .*: Permission denied/.test(words)) {
    return sandboxUnavailable('the folder for files of commands lies where their user can not go', error);
  }
  const why = words.trim() === '' ? error : new TypeError(words.trim(), { cause: error });
  return sandboxUnavailable('bubblewrap can not make a namespace (are user namespaces allowed?)', why);
}
