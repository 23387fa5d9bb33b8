import { constants } from 'node:fs';
import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SandboxLimits } from '../sandbox-runner.ts';
import { processMark } from './host-process.ts';

const root = '/sys/fs/cgroup';
/** What is used, by its name in version 1; version 2 counts processor time in every group. */
const controllers = ['pids', 'memory', 'cpuacct'] as const;
type Controller = (typeof controllers)[number];
const prefix = 'spanwise-sandbox-';
/** A group can be removed a moment after its last process is gone. */
const removeAttempts = 50;

/** What a command has used so far; undefined where no group counts it. */
export interface GroupUsage {
  readonly cpuSeconds: number | undefined;
  /** True when something was killed because memory ran out; undefined where memory is not limited. */
  readonly ranOutOfMemory: boolean | undefined;
}

/** Control groups of this machine, as far as this process may make some. Without any, limits are held by other means. */
export class Cgroups {
  /** Folders in which groups are made, by what they limit; in version 2 the same for all. */
  readonly parents: ReadonlyMap<Controller, string>;
  readonly #isUnified: boolean;

  private constructor(parents: ReadonlyMap<Controller, string>, isUnified: boolean) {
    this.parents = parents;
    this.#isUnified = isUnified;
  }

  /**
   * `parent` is a group that was delegated to this process, relative to the root of the hierarchies. Without one only the
   * root itself is used, where this process is in it and may: a group that somebody else made is theirs to divide.
   */
  static async detect(parent: string | undefined): Promise<Cgroups> {
    const own = await ownGroups();
    const placeOf = (hierarchy: string) => parent ?? (own.get(hierarchy) === '/' ? '/' : undefined);
    const isUnified = await isThere(join(root, 'cgroup.controllers'));
    const parents = new Map<Controller, string>();
    for (const controller of controllers) {
      const place = placeOf(isUnified ? '' : controller);
      const folder = place === undefined ? undefined : join(root, isUnified ? '' : controller, place);
      if (folder !== undefined && (await isUsable(folder, controller, isUnified))) {
        parents.set(controller, folder);
      }
    }
    const found = new Cgroups(parents, isUnified);
    await found.#sweep();
    return found;
  }

  /** A group with limits for one command; dispose of it once nothing of the command runs. */
  async make({ memoryBytes, processes }: SandboxLimits): Promise<Cgroup> {
    const name = `${prefix}${await processMark(process.pid)}-${crypto.randomUUID()}`;
    const folders = new Map([...this.parents].map(([controller, folder]) => [controller, join(folder, name)]));
    const group = new Cgroup(folders, this.#isUnified);
    const set = async (controller: Controller, file: string, value: number | string) => {
      const folder = folders.get(controller);
      await (folder === undefined ? undefined : writeFile(join(folder, file), String(value)));
    };
    try {
      for (const folder of new Set(folders.values())) {
        await mkdir(folder);
      }
      // The supervisor, two bubblewraps and their inits are five more.
      await set('pids', 'pids.max', processes + 5);
      await set('memory', this.#isUnified ? 'memory.max' : 'memory.limit_in_bytes', memoryBytes);
      await (this.#isUnified ? set('memory', 'memory.swap.max', 0).catch(() => undefined) : undefined);
      return group;
    } catch (error) {
      await group[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Removes the groups of processes that are no more. One that still has processes stays. */
  async #sweep(): Promise<void> {
    for (const folder of new Set(this.parents.values())) {
      for (const name of (await readdir(folder)).filter((each) => each.startsWith(prefix))) {
        const [, mark, pid] = /^([0-9]+-([0-9]+)-[0-9]+)-[0-9a-f-]+$/.exec(name.slice(prefix.length)) ?? [];
        if (mark !== undefined && (await processMark(Number(pid))) !== mark) {
          await rmdir(join(folder, name)).catch(() => undefined);
        }
      }
    }
  }
}

/** The group of one command. */
export class Cgroup implements AsyncDisposable {
  readonly #folders: ReadonlyMap<Controller, string>;
  readonly #isUnified: boolean;

  constructor(folders: ReadonlyMap<Controller, string>, isUnified: boolean) {
    this.#folders = folders;
    this.#isUnified = isUnified;
  }

  /** Puts a process into it: its children are born in it. */
  async add(pid: number): Promise<void> {
    for (const folder of new Set(this.#folders.values())) {
      await writeFile(join(folder, 'cgroup.procs'), String(pid));
    }
  }

  async usage(): Promise<GroupUsage> {
    const [cpu, memory] = await Promise.all([
      this.#read('cpuacct', this.#isUnified ? 'cpu.stat' : 'cpuacct.usage'),
      this.#read('memory', this.#isUnified ? 'memory.events' : 'memory.oom_control'),
    ]);
    const killed = numberAfter('oom_kill', memory);
    return {
      cpuSeconds: this.#isUnified ? scaled(numberAfter('usage_usec', cpu), 1e6) : scaled(cpu?.trim(), 1e9),
      ranOutOfMemory: killed === undefined ? undefined : Number(killed) > 0,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const folder of new Set(this.#folders.values())) {
      for (let attempt = 1; attempt <= removeAttempts && (await isThere(folder)); attempt += 1) {
        await rmdir(folder).catch(() => delay(5));
      }
    }
  }

  async #read(controller: Controller, file: string): Promise<string | undefined> {
    const folder = this.#folders.get(controller);
    return folder === undefined ? undefined : readFile(join(folder, file), 'utf8').catch(() => undefined);
  }
}

/** The groups that this process is in, by hierarchy of version 1; under the empty name that of version 2. */
async function ownGroups(): Promise<ReadonlyMap<string, string>> {
  const text = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  const lines = text.split('\n').map((line) => /^[0-9]+:([^:]*):(.*)$/.exec(line));
  return new Map(lines.flatMap((line) => (line?.[1] ?? '').split(',').map((name) => [name, line?.[2] ?? ''] as const)));
}

async function isUsable(folder: string, controller: Controller, isUnified: boolean): Promise<boolean> {
  if (!(await isThere(join(folder, 'cgroup.procs'))) || !(await isThere(folder, constants.W_OK))) {
    return false;
  }
  if (!isUnified) {
    return true;
  }
  const passedOn = await readFile(join(folder, 'cgroup.subtree_control'), 'utf8').catch(() => '');
  const needed = controller === 'cpuacct' ? ['memory', 'pids'] : [controller];
  return needed.some((name) => passedOn.split(/\s+/).includes(name));
}

function isThere(path: string, mode = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

function numberAfter(name: string, text: string | undefined): string | undefined {
  return text === undefined ? undefined : new RegExp(`^${name} ([0-9]+)$`, 'm').exec(text)?.[1];
}

function scaled(text: string | undefined, divisor: number): number | undefined {
  return text === undefined ? undefined : Number(text) / divisor;
}
