import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sandboxUnavailable } from '../sandbox-errors.ts';
import type { SandboxCommand, SandboxExit, SandboxRunner } from '../sandbox-runner.ts';
import type { Binding, SystemFolders } from './bwrap-arguments.ts';
import { tryToBreakOut } from './canary.ts';
import { Cgroups } from './cgroups.ts';
import { errorCodeOf } from './error-code.ts';
import { giveFiles } from './given-files.ts';
import { importFiles } from './import-files.ts';
import { Notices } from './notices.ts';
import type { OuterUser } from './outer-user.ts';
import { type CommandFolder, PrivateFolders } from './private-folders.ts';
import { type NamespacedCommand, runInNamespace } from './run-in-namespace.ts';
import { findSystemFolders } from './system-folders.ts';
import { defaultViewLimits, planView, type ViewLimits } from './view-plan.ts';

/** How commands are kept in namespaces. */
export interface NamespacedSettings {
  /** Bubblewrap. Default: `bwrap` in `/bin` or `/usr/bin`. */
  readonly program?: string;
  /** Folder for the files of commands while they run; of this process alone. Default: one in the system's temporary folder. */
  readonly folder?: string;
  /** The host's user for commands when this process is root; otherwise they run as its own user. Default: 65534, "nobody". */
  readonly user?: OuterUser;
  /** A control group that was delegated to this process, relative to the root of the hierarchies. Default: none. */
  readonly cgroup?: string;
  /** Folders below `/usr` that commands do not see, such as one in which tool-host itself lies. */
  readonly hiddenFolders?: readonly string[];
  /** How much of a view a command is given, and may leave; while it runs it may use twice as much. */
  readonly viewLimits?: ViewLimits;
  /** Bytes of `/tmp` and of `/dev/shm`, each; in memory. Default: 64 MiB. */
  readonly temporaryBytes?: number;
}

/** What this machine has, found out once. */
interface Machine {
  readonly folders: PrivateFolders;
  readonly system: SystemFolders;
  readonly cgroups: Cgroups;
}

const nobody: OuterUser = { uid: 65534, gid: 65534 };
const defaultTemporaryBytes = 64 * 1024 * 1024;

/**
 * Commands in namespaces of their own, made by bubblewrap: they run as an unprivileged user without a network, on a copy of
 * the view's files, of which what they changed is taken over when nothing of them runs any more. Linux only.
 */
export class NamespacedSandbox implements SandboxRunner {
  readonly level = 'namespaced';
  readonly #settings: NamespacedSettings;
  readonly #user: OuterUser | undefined;
  readonly #limits: ViewLimits;
  readonly #over = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #machine: Promise<Machine> | undefined;
  #checked: Promise<void> | undefined;

  constructor(settings: NamespacedSettings = {}) {
    this.#settings = settings;
    this.#user = process.geteuid?.() === 0 ? (settings.user ?? nobody) : undefined;
    this.#limits = settings.viewLimits ?? defaultViewLimits;
  }

  async check(signal: AbortSignal): Promise<void> {
    const checked = this.#checked ?? this.#check();
    if (this.#checked === undefined) {
      this.#checked = checked;
      checked.catch(() => {
        // What is missing may be there the next time.
        this.#checked = undefined;
      });
    }
    await untilAborted(checked, signal);
  }

  async run(command: SandboxCommand, signal: AbortSignal): Promise<SandboxExit> {
    await this.check(signal);
    const either = AbortSignal.any([signal, this.#over.signal]);
    return this.#follow(this.#run(command, either));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await Promise.allSettled([...this.#running, this.#checked]);
    const machine = await this.#machine?.catch(() => undefined);
    await machine?.folders[Symbol.asyncDispose]();
  }

  async #run(command: SandboxCommand, signal: AbortSignal): Promise<SandboxExit> {
    const { files, cwd, limits, script } = command;
    const notices = new Notices();
    const planned = await planView(files, cwd, this.#limits, notices);
    const { folders } = await this.#open();
    await using folder = await folders.make(script);
    const give = (path: string) => folders.give(path);
    const giveHandle = folders.giveHandle.bind(folders);
    const given = await giveFiles({ files, folder: folder.path, give, giveHandle, notices }, planned);
    const namespaced = await this.#command(folder, given.bindings, { cwd, limits, output: command.output });
    const exit = await runInNamespace(namespaced, signal);
    await importFiles({ files, limits: this.#limits, notices, signal }, given);
    return { ...exit, notices: [...exit.notices, ...notices.list()] };
  }

  async #command(
    folder: CommandFolder,
    bindings: readonly Binding[],
    { cwd, ...asked }: Pick<SandboxCommand, 'cwd' | 'limits' | 'output'>,
  ): Promise<NamespacedCommand> {
    const { folders, system, cgroups } = await this.#open();
    const { hiddenFolders = [], temporaryBytes = defaultTemporaryBytes } = this.#settings;
    return {
      ...asked,
      namespace: { system, bindings: [...folder.bindings, ...bindings], hiddenFolders, cwd, temporaryBytes },
      folder: folder.path,
      viewLimits: this.#limits,
      program: this.#settings.program ?? 'bwrap',
      user: this.#user,
      pipes: folders.pipes,
      cgroups,
    };
  }

  async #check(): Promise<void> {
    const { folders } = await this.#open();
    await tryToBreakOut(async (script, ask) => {
      await using folder = await folders.make(script);
      const command = await this.#command(folder, [], { ...ask, cwd: '/tmp' });
      return await runInNamespace({ ...command, viewLimits: defaultViewLimits }, this.#over.signal);
    });
  }

  #open(): Promise<Machine> {
    this.#machine ??= this.#find().catch((error: unknown) => {
      this.#machine = undefined;
      const why = errorCodeOf(error) ?? 'unknown';
      throw sandboxUnavailable(`the folder for files of commands can not be used (${why})`, error);
    });
    return this.#machine;
  }

  async #find(): Promise<Machine> {
    if (this.#user?.uid === 0) {
      throw sandboxUnavailable('commands would run as root');
    }
    const [system, cgroups] = await Promise.all([findSystemFolders(), Cgroups.detect(this.#settings.cgroup)]);
    const root = this.#settings.folder ?? join(tmpdir(), `spanwise-sandbox-${process.geteuid?.() ?? 0}`);
    return { folders: await PrivateFolders.open(root, this.#user), system, cgroups };
  }

  #follow<Result>(work: Promise<Result>): Promise<Result> {
    this.#running.add(work);
    const done = () => void this.#running.delete(work);
    work.then(done, done);
    return work;
  }
}

/** Waits no longer than `signal` lets; the work goes on. */
async function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
