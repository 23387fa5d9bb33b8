import { chmod, chown, type FileHandle, lstat, mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Binding, innerUser } from './bwrap-arguments.ts';
import { processMark } from './host-process.ts';
import type { OuterUser } from './outer-user.ts';
import { OutputPipes } from './output-pipes.ts';
import { removeTree } from './remove-tree.ts';
import { scriptPath } from './supervisor.ts';

/** Processes of other containers can not be looked up: what they left counts as left after this time. */
const foreignAgeMs = 24 * 60 * 60 * 1000;

/** What a command finds in `/etc`: nothing of this machine. */
const madeUpFiles: Readonly<Record<string, string>> = {
  passwd: `root:x:0:0:root:/:/bin/false\n${innerUser.name}:x:${innerUser.uid}:${innerUser.gid}::/tmp:/bin/bash\n`,
  group: `root:x:0:\n${innerUser.name}:x:${innerUser.gid}:\n`,
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
  hosts: '127.0.0.1 localhost sandbox\n::1 localhost\n',
  hostname: 'sandbox\n',
};

/** The folder of one command. */
export interface CommandFolder extends AsyncDisposable {
  /** Only the user of the command and root come in. */
  readonly path: string;
  /** The script and the made-up files. */
  readonly bindings: readonly Binding[];
}

/**
 * Where files of commands lie while they run: one folder for each process of tool-host, in it one for each command. What dead
 * processes have left is removed when it is opened.
 */
export class PrivateFolders implements AsyncDisposable {
  /** For the output of commands. */
  readonly pipes: OutputPipes;
  readonly #own: string;
  readonly #user: OuterUser | undefined;
  #count = 0;

  private constructor(own: string, user: OuterUser | undefined) {
    this.pipes = new OutputPipes(own, user);
    this.#own = own;
    this.#user = user;
  }

  /** `root` is made if it is missing. Throws a system error. */
  static async open(root: string, user: OuterUser | undefined): Promise<PrivateFolders> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    const { uid } = await lstat(root);
    const mark = await processMark(process.pid);
    if (mark === undefined || uid !== process.geteuid?.()) {
      // Whoever owns it could put links where files of commands are written.
      throw Object.assign(new TypeError(`${root} belongs to somebody else`), { code: 'EPERM' });
    }
    await sweep(root);
    // One process can have several. Modes are set afterwards: the process may have been started with a strict mask.
    const own = await mkdtemp(join(root, `${mark}-`));
    const etc = join(own, 'etc');
    await mkdir(etc);
    for (const [name, content] of Object.entries(madeUpFiles)) {
      await writeFile(join(etc, name), content);
      await chmod(join(etc, name), 0o644);
    }
    await chmod(etc, 0o755);
    // Another user of commands passes through, and lists nothing.
    for (const path of user === undefined ? [] : [root, own]) {
      await chmod(path, 0o711);
    }
    return new PrivateFolders(own, user);
  }

  /** Makes a folder for a command and its script. Dispose of it once nothing of the command runs. */
  async make(script: string): Promise<CommandFolder> {
    this.#count += 1;
    const path = join(this.#own, `${this.#count}-${crypto.randomUUID()}`);
    const scriptFile = join(path, 'command');
    await mkdir(path, { mode: 0o700 });
    await writeFile(scriptFile, script);
    await chmod(scriptFile, 0o644);
    await this.give(path);
    const etc = Object.keys(madeUpFiles).map((name) => ({
      source: join(this.#own, 'etc', name),
      path: `/etc/${name}`,
    }));
    const bindings = [...etc, { source: scriptFile, path: scriptPath }].map((each) => ({ ...each, isReadOnly: true }));
    return { path, bindings, [Symbol.asyncDispose]: () => removeTree(path) };
  }

  /** Makes a path the command's own. */
  async give(path: string): Promise<void> {
    if (this.#user !== undefined) {
      await chown(path, this.#user.uid, this.#user.gid);
    }
  }

  /** The same for an open file. */
  async giveHandle(handle: FileHandle): Promise<void> {
    if (this.#user !== undefined) {
      await handle.chown(this.#user.uid, this.#user.gid);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeTree(this.#own);
  }
}

/** Removes the folders of processes that are no more. */
async function sweep(root: string): Promise<void> {
  const [namespace] = (await processMark(process.pid))?.split('-') ?? [];
  for (const name of await readdir(root)) {
    const [, mark, owner, pid] = /^(([0-9]+)-([0-9]+)-[0-9]+)-[^.]+(?:\.[0-9]+)?$/.exec(name) ?? [];
    const path = join(root, name);
    if (owner === undefined) {
      continue;
    }
    const isLeft =
      owner === namespace
        ? (await processMark(Number(pid))) !== mark
        : Date.now() - (await lstat(path)).mtimeMs > foreignAgeMs;
    if (isLeft) {
      // Another process may be at it as well; who comes next removes the rest.
      await removeTree(path).catch(() => undefined);
    }
  }
}
