import { posix } from 'node:path';
import {
  type ByteString,
  type CpOptions,
  type FileContent,
  type FsStat,
  type IFileSystem,
  type MkdirOptions,
  type RmOptions,
  unsafeBytesFromLatin1,
} from 'just-bash';
import type { SentFile } from '../messages.ts';
import { FileFailure } from './channel.ts';
import { toBytes } from './output-file-system.ts';
import { isFailure, type ViewFiles } from './view-files.ts';

type ReadOptions = Parameters<IFileSystem['readFile']>[1];
type WriteOptions = Parameters<IFileSystem['writeFile']>[2];
type DirectoryEntries = Awaited<ReturnType<NonNullable<IFileSystem['readdirWithFileTypes']>>>;

/** The view knows no modes: everything can be read and run. What may be written the file service says. */
const [fileMode, directoryMode] = [0o755, 0o755];

/** A folder of the run's view, as the shell wants a file system. Its paths begin at the folder. */
export class ViewFileSystem implements IFileSystem {
  readonly #root: string;
  readonly #files: ViewFiles;

  constructor(root: string, files: ViewFiles) {
    this.#root = root;
    this.#files = files;
  }

  async readFile(path: string, options?: ReadOptions): Promise<string> {
    const encoding = (typeof options === 'string' ? options : options?.encoding) ?? 'utf8';
    const { buffer, byteOffset, length } = await this.readFileBuffer(path);
    return Buffer.from(buffer, byteOffset, length).toString(encoding === 'binary' ? 'latin1' : encoding);
  }

  /** As a text whose every character is a byte, which is how the shell passes bytes on. It would make one itself, slowly. */
  async readFileBytes(path: string): Promise<ByteString> {
    const data = await this.readFileBuffer(path);
    return unsafeBytesFromLatin1(Buffer.from(data.buffer, data.byteOffset, data.length).toString('latin1'));
  }

  async readFileBuffer(path: string): Promise<Uint8Array> {
    return this.#files.read(this.#at(path));
  }

  async writeFile(path: string, content: FileContent, options?: WriteOptions): Promise<void> {
    await this.#files.write(this.#at(path), toBytes(content, options));
  }

  async appendFile(path: string, content: FileContent, options?: WriteOptions): Promise<void> {
    await this.#files.append(this.#at(path), toBytes(content, options));
  }

  async exists(path: string): Promise<boolean> {
    return (await this.#files.find(this.#at(path))) !== undefined;
  }

  async stat(path: string): Promise<FsStat> {
    return statOf(await this.#files.stat(this.#at(path)));
  }

  /** There are no links. */
  async lstat(path: string): Promise<FsStat> {
    return this.stat(path);
  }

  async mkdir(path: string, options?: MkdirOptions): Promise<void> {
    const at = this.#at(path);
    if (options?.recursive !== true) {
      if ((await this.#files.find(at)) !== undefined) {
        throw new FileFailure('EEXIST', `file already exists, mkdir '${at}'`);
      }
      if (at !== this.#root) {
        await this.#files.stat(posix.dirname(at));
      }
    }
    await this.#files.makeDirectory(at);
  }

  async readdir(path: string): Promise<string[]> {
    return (await this.#files.list(this.#at(path))).map(nameOf);
  }

  async readdirWithFileTypes(path: string): Promise<DirectoryEntries> {
    return (await this.#files.list(this.#at(path))).map((file) => ({
      name: nameOf(file),
      isFile: file.kind === 'file',
      isDirectory: file.kind === 'directory',
      isSymbolicLink: false,
    }));
  }

  async rm(path: string, options?: RmOptions): Promise<void> {
    try {
      await this.#files.delete(this.#at(path), options?.recursive === true);
    } catch (error) {
      if (options?.force !== true || !isFailure(error, 'ENOENT')) {
        throw error;
      }
    }
  }

  async cp(from: string, to: string, options?: CpOptions): Promise<void> {
    await this.#copy(this.#at(from), this.#at(to), options?.recursive === true);
  }

  /** A file that is in the way is replaced. */
  async mv(from: string, to: string): Promise<void> {
    const [path, toPath] = [this.#at(from), this.#at(to)];
    const moved = await this.#files.stat(path);
    if (path === toPath) {
      return;
    }
    const inTheWay = await this.#files.find(toPath);
    if (inTheWay?.kind === 'directory' && moved.kind === 'file') {
      throw new FileFailure('EISDIR', `illegal operation on a directory, rename '${path}' -> '${toPath}'`);
    }
    if (inTheWay !== undefined) {
      await this.#files.delete(toPath, false);
    }
    try {
      await this.#files.move(path, toPath);
    } catch (error) {
      if (!isFailure(error, 'EXDEV')) {
        throw error;
      }
      await this.#copy(path, toPath, true);
      await this.#files.delete(path, moved.kind === 'directory');
    }
  }

  resolvePath(base: string, path: string): string {
    return posix.resolve(base, path);
  }

  /** None: they are looked for by listing. */
  getAllPaths(): string[] {
    return [];
  }

  /** Modes are not kept. */
  async chmod(path: string): Promise<void> {
    await this.#files.stat(this.#at(path));
  }

  /** Times are not kept. */
  async utimes(path: string): Promise<void> {
    await this.#files.stat(this.#at(path));
  }

  async symlink(_: string, path: string): Promise<void> {
    throw new FileFailure('EPERM', `the files have no links, symlink '${this.#at(path)}'`);
  }

  async link(_: string, path: string): Promise<void> {
    throw new FileFailure('EPERM', `the files have no links, link '${this.#at(path)}'`);
  }

  async readlink(path: string): Promise<string> {
    throw new FileFailure('EINVAL', `invalid argument, readlink '${this.#at(path)}'`);
  }

  async realpath(path: string): Promise<string> {
    await this.#files.stat(this.#at(path));
    return posix.resolve('/', path);
  }

  #at(path: string): string {
    const within = posix.resolve('/', path);
    return within === '/' ? this.#root : `${this.#root}${within}`;
  }

  async #copy(path: string, toPath: string, isRecursive: boolean): Promise<void> {
    const { kind } = await this.#files.stat(path);
    if (kind === 'file') {
      await this.#files.write(toPath, await this.#files.read(path));
      return;
    }
    if (!isRecursive) {
      throw new FileFailure('EISDIR', `illegal operation on a directory, cp '${path}'`);
    }
    if (`${toPath}/`.startsWith(`${path}/`)) {
      throw new FileFailure('EINVAL', `cannot copy '${path}' into itself, '${toPath}'`);
    }
    await this.#files.makeDirectory(toPath);
    for (const entry of await this.#files.list(path)) {
      await this.#copy(entry.path, `${toPath}/${nameOf(entry)}`, true);
    }
  }
}

function nameOf({ path }: SentFile): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function statOf({ path, kind, size, modifyTimeMs }: SentFile): FsStat {
  return {
    isFile: kind === 'file',
    isDirectory: kind === 'directory',
    isSymbolicLink: false,
    mode: kind === 'file' ? fileMode : directoryMode,
    size,
    mtime: new Date(modifyTimeMs ?? 0),
    identity: path,
  };
}
