import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { concurrently, DomainError } from '@spanwise/kernel';
import type { Files, WriteGuard } from '@spanwise/tool-kit/contract';
import { hasReason } from '../../../domain/files/file-errors.ts';
import { errorCodeOf } from './error-code.ts';
import type { GivenMount, GivenView } from './given-files.ts';
import { HeldFolder } from './held-folder.ts';
import { planImport } from './import-plan.ts';
import { type LeftFiles, lookAtLeftFiles, maxFileBytes } from './left-files.ts';
import type { Notices } from './notices.ts';
import type { ViewLimits } from './view-plan.ts';

const writesAtOnce = 8;
/** Failures that are about one path: the others go on, and the model is told. */
const pathKinds: ReadonlySet<string> = new Set([
  'invalid',
  'denied',
  'not-found',
  'exists',
  'precondition',
  'exhausted',
]);

export interface ImportFilesDeps {
  readonly files: Files;
  readonly limits: ViewLimits;
  readonly notices: Notices;
  readonly signal: AbortSignal;
}

/**
 * Takes what a command has changed over into its view, once nothing of it runs. Each change is guarded by the version that
 * the command was given: what somebody else has changed meanwhile stays as it is, and is told. Throws what the files throw
 * when it is about more than one path.
 */
export async function importFiles(deps: ImportFilesDeps, { mounts }: GivenView): Promise<void> {
  const { maxFiles, maxBytes } = deps.limits;
  const looks: { readonly mount: GivenMount; readonly left: LeftFiles }[] = [];
  let rest = { entries: maxFiles, bytes: maxBytes };
  for (const mount of mounts) {
    const left = await lookAtLeftFiles(mount, rest.entries, deps.notices);
    looks.push({ mount, left });
    rest = { entries: rest.entries - left.entries, bytes: rest.bytes - left.bytes };
    if (rest.entries < 0 || rest.bytes < 0) {
      // The view could not be given to the next command.
      const most = `${maxFiles} files or ${Math.floor(maxBytes / 1024 / 1024)} MiB`;
      deps.notices.add(`Nothing was taken over: the command left more than ${most}.`);
      return;
    }
  }
  for (const { mount, left } of looks) {
    await new MountImport(deps, mount).run(left);
  }
}

class MountImport {
  readonly #deps: ImportFilesDeps;
  readonly #mount: GivenMount;

  constructor(deps: ImportFilesDeps, mount: GivenMount) {
    this.#deps = deps;
    this.#mount = mount;
  }

  async run(left: LeftFiles): Promise<void> {
    const plan = planImport(this.#mount, left);
    await this.#delete(plan.inTheWay);
    for (const path of plan.directories) {
      await this.#each(path, () => this.#deps.files.makeDirectory(path));
    }
    await using root = await HeldFolder.open(this.#mount.source);
    for (const [folder, names] of byFolder(plan.files)) {
      await this.#writeFolder(root, folder, names);
    }
    await this.#delete(plan.deletes);
  }

  async #delete(deletes: readonly { path: string; etag: string }[]): Promise<void> {
    const files = deletes.filter(({ etag }) => etag !== '');
    await concurrently(files, writesAtOnce, ({ path, etag }) =>
      this.#each(path, () => this.#deps.files.delete(path, { isRecursive: false, etag }).catch(unlessGone)),
    );
    for (const { path } of deletes.filter(({ etag }) => etag === '')) {
      const options = { isRecursive: false, etag: undefined };
      await this.#each(path, () => this.#deps.files.delete(path, options).catch(unlessGone));
    }
  }

  async #writeFolder(root: HeldFolder, folder: string, names: readonly string[]): Promise<void> {
    const inner = folder.slice(this.#mount.path.length + 1);
    const held = await root.descend(inner === '' ? [] : inner.split('/')).catch(errorCodeOf);
    if (held === undefined || typeof held === 'string') {
      this.#deps.notices.addPath('Not taken over, because the folder has changed meanwhile', folder);
      return;
    }
    await using open = held;
    await concurrently(names, writesAtOnce, (name) => this.#write(open, name, `${folder}/${name}`));
  }

  async #write(folder: HeldFolder, name: string, path: string): Promise<void> {
    const { files, notices } = this.#deps;
    const handle = await folder.read(name).catch(errorCodeOf);
    if (handle === undefined || typeof handle === 'string') {
      notices.addPath('Not taken over, because they can not be read', path);
      return;
    }
    await using open = handle;
    const data = await contentOf(open);
    if (typeof data === 'string') {
      notices.addPath(`Not taken over, because they are ${data}`, path);
      return;
    }
    const given = this.#mount.files.get(path);
    if (given?.hash === createHash('sha256').update(data).digest('hex')) {
      return;
    }
    const guard: WriteGuard = given === undefined ? { type: 'create-only' } : { type: 'if-match', etag: given.etag };
    await this.#each(path, () => files.write(path, data, guard));
  }

  /** One change; a failure that is about this path is told. */
  async #each(path: string, change: () => Promise<unknown>): Promise<void> {
    this.#deps.signal.throwIfAborted();
    try {
      await change();
    } catch (error) {
      if (isConflict(error)) {
        this.#deps.notices.addPath('Not taken over, because somebody else has changed them meanwhile', path);
      } else if (error instanceof DomainError && pathKinds.has(error.kind)) {
        this.#deps.notices.addPath(`Not taken over (${error.reason})`, path);
      } else {
        throw error;
      }
    }
  }
}

/** Looks at what was opened, not at its name: the name may lead elsewhere by now. */
async function contentOf(handle: FileHandle): Promise<Uint8Array | string> {
  const stats = await handle.stat();
  if (!stats.isFile() || stats.nlink > 1) {
    return stats.isFile() ? 'hard links' : 'no regular files';
  }
  if (stats.size > maxFileBytes) {
    return `larger than ${maxFileBytes / 1024 / 1024} MiB`;
  }
  const data = Buffer.alloc(stats.size);
  const { bytesRead } = await handle.read(data, 0, stats.size, 0);
  return data.subarray(0, bytesRead);
}

function byFolder(paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const folders = new Map<string, string[]>();
  for (const path of paths) {
    const end = path.lastIndexOf('/');
    const names = folders.get(path.slice(0, end)) ?? [];
    folders.set(path.slice(0, end), names);
    names.push(path.slice(end + 1));
  }
  return folders;
}

function isConflict(error: unknown): boolean {
  return hasReason(error, 'ETAG_MISMATCH', 'FILE_EXISTS', 'DIRECTORY_NOT_EMPTY', 'FILE_NOT_FOUND');
}

/** Somebody else was faster, and it is as good. */
function unlessGone(error: unknown): void {
  if (!hasReason(error, 'FILE_NOT_FOUND')) {
    throw error;
  }
}
