import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { sandboxUnavailable } from '../sandbox-errors.ts';
import type { SandboxExit, SandboxLimits } from '../sandbox-runner.ts';
import type { Namespace } from './bwrap-arguments.ts';
import type { Cgroup, Cgroups } from './cgroups.ts';
import { DiskUse } from './disk-use.ts';
import type { OuterUser } from './outer-user.ts';
import type { OutputPipes } from './output-pipes.ts';
import { SandboxProcess } from './sandbox-process.ts';
import { type LimitReached, watchUsage } from './usage-watch.ts';
import type { ViewLimits } from './view-plan.ts';

/** A command, once its files lie where the namespace binds them. */
export interface NamespacedCommand {
  /** Bubblewrap. */
  readonly program: string;
  readonly namespace: Namespace;
  /** Folder of the host in which it may write. */
  readonly folder: string;
  readonly limits: SandboxLimits;
  readonly viewLimits: ViewLimits;
  readonly user: OuterUser | undefined;
  readonly pipes: OutputPipes;
  readonly cgroups: Cgroups;
  readonly output: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;
}

/** What a command may use of the disk, as a multiple of what it may be given and leave. */
const usedShare = 2;
const killedExitCode = 128 + constants.signals.SIGKILL;
const cpuExitCode = 128 + constants.signals.SIGXCPU;

/**
 * Runs a command to its end or to a limit. When it resolves or throws, nothing of the command runs any more. Throws the
 * reason of `signal`, and SANDBOX_UNAVAILABLE.
 */
export async function runInNamespace(command: NamespacedCommand, signal: AbortSignal): Promise<SandboxExit> {
  const { program, namespace, user, pipes, limits, viewLimits } = command;
  signal.throwIfAborted();
  await using group = await command.cgroups.make(limits).catch((error: unknown) => {
    throw sandboxUnavailable('no control group can be made', error);
  });
  const floods = new AbortController();
  const sandbox = await SandboxProcess.start({
    ...{ program, namespace, user, pipes, limits, maxFileBytes: viewLimits.maxBytes },
    output: boundedOutput(command.output, limits.outputBytes, () => floods.abort()),
    confine: async (pids) => {
      for (const pid of pids) {
        await group.add(pid);
      }
    },
  });
  const reached = await endOf(sandbox, command, group, AbortSignal.any([signal, floods.signal]));
  signal.throwIfAborted();
  return floods.signal.aborted ? exit(killedExitCode, 'output') : reached;
}

/** Lets a command go and waits for its end, which comes at once when `signal` aborts. */
async function endOf(
  sandbox: SandboxProcess,
  { folder, limits, viewLimits }: NamespacedCommand,
  group: Cgroup,
  signal: AbortSignal,
): Promise<SandboxExit> {
  const { maxBytes, maxFiles } = viewLimits;
  const disk = new DiskUse(folder, { maxBytes: maxBytes * usedShare, maxEntries: maxFiles * usedShare });
  const over = new AbortController();
  const watch = watchUsage({ initPid: sandbox.initPid, group, disk, limits }, over.signal);
  const timeout = delay(limits.wallMs, timeIsUp, { signal: over.signal }).catch(() => undefined);
  const kill = () => sandbox.kill();
  signal.addEventListener('abort', kill, { once: true });
  try {
    if (signal.aborted) {
      sandbox.kill();
    } else {
      sandbox.go();
    }
    const reached = await Promise.race([sandbox.ended.then(() => undefined), watch, timeout]);
    if (reached === undefined) {
      const exitCode = await sandbox.ended;
      return exit(exitCode, await unseenLimit(exitCode, group));
    }
    return exit(killedExitCode, reached.stoppedBy, reached.notice);
  } finally {
    sandbox.kill();
    await sandbox.ended;
    over.abort();
    signal.removeEventListener('abort', kill);
    await Promise.all([watch, timeout]);
  }
}

const timeIsUp: LimitReached = { stoppedBy: 'time', notice: undefined };

/** A limit that the kernel held before it was seen from here. */
async function unseenLimit(exitCode: number, group: Cgroup): Promise<SandboxExit['stoppedBy']> {
  if (exitCode === cpuExitCode) {
    return 'cpu';
  }
  return exitCode !== 0 && (await group.usage()).ranOutOfMemory === true ? 'memory' : undefined;
}

function exit(exitCode: number, stoppedBy: SandboxExit['stoppedBy'], notice?: string): SandboxExit {
  return { exitCode, stoppedBy, notices: notice === undefined ? [] : [notice] };
}

/** Passes on no more than the limit. */
function boundedOutput(
  output: NamespacedCommand['output'],
  maxBytes: number,
  onFlood: () => void,
): NamespacedCommand['output'] {
  let left = maxBytes;
  return (stream, chunk) => {
    const shown = chunk.subarray(0, left);
    left -= shown.length;
    if (shown.length > 0) {
      output(stream, shown);
    }
    if (shown.length < chunk.length) {
      onFlood();
    }
  };
}
