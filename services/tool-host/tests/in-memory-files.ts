import { matchesGlob } from 'node:path';
import type {
  ByteRange,
  DeleteOptions,
  FileInfo,
  Files,
  GlobQuery,
  GrepItem,
  GrepQuery,
  PageRequest,
  TextEdit,
  WriteGuard,
} from '@spanwise/tool-kit/contract';
import type { FileCall, RunFiles } from '../src/application/ports/run-files.ts';
import { fileError } from '../src/domain/files/file-errors.ts';
import { grepIn, relativeTo } from './in-memory-grep.ts';

interface StoredFile {
  readonly data: Uint8Array;
  readonly etag: string;
  readonly modifyTimeMs: number;
}

/**
 * The rules of the file service on one tree in memory. Everything under `/inputs` is read-only. What comes to a path that was
 * given to `stall` waits there until its call is aborted. `userToken`, if set, is the one that opens `/userinfo`.
 */
export class InMemoryFiles implements RunFiles {
  /** The call of each operation, in order. */
  readonly calls: FileCall[] = [];
  /** The path at which a call waited that was aborted. */
  readonly aborted = Promise.withResolvers<string>();
  /** Disks that can not be reached. */
  partialSources: readonly string[] = [];
  userToken: string | undefined;
  readonly #files = new Map<string, StoredFile>();
  readonly #directories = new Set(['/', '/workspace', '/inputs']);
  readonly #stalled = new Set<string>();
  #version = 0;

  /** Puts a file, whatever its mount allows. */
  put(path: string, content: string | Uint8Array): FileInfo {
    const data = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    this.#version += 1;
    this.#files.set(path, { data, etag: `v${this.#version}`, modifyTimeMs: this.#version * 1000 });
    this.addDirectory(parentOf(path));
    return this.info(path);
  }

  addDirectory(path: string): void {
    for (let each = path; !this.#directories.has(each); each = parentOf(each)) {
      this.#directories.add(each);
    }
  }

  remove(path: string): void {
    this.#files.delete(path);
    this.#directories.delete(path);
  }

  stall(path: string): void {
    this.#stalled.add(path);
  }

  text(path: string): string {
    return new TextDecoder().decode(this.file(path).data);
  }

  bind(call: FileCall): Files {
    return new BoundFiles(this, call);
  }

  /** Begins an operation: records its call, and waits while the path is stalled. */
  async begin(call: FileCall, path: string): Promise<void> {
    call.signal.throwIfAborted();
    this.calls.push(call);
    if (this.userToken !== undefined && path.startsWith('/userinfo/') && call.caller.token !== this.userToken) {
      throw fileError('DISK_AUTH_REQUIRED', { path, disk: 'users' });
    }
    await this.pass(call, path);
  }

  /** Waits while the path is stalled. */
  async pass(call: FileCall, path: string): Promise<void> {
    if (this.#stalled.has(path)) {
      await new Promise<void>((resolve) => {
        call.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      this.aborted.resolve(path);
      call.signal.throwIfAborted();
    }
  }

  isDirectory(path: string): boolean {
    return this.#directories.has(path);
  }

  find(path: string): StoredFile | undefined {
    return this.#files.get(path);
  }

  /** A file that has to be there. */
  file(path: string): StoredFile {
    const file = this.#files.get(path);
    if (file === undefined) {
      throw fileError(this.isDirectory(path) ? 'NOT_A_FILE' : 'FILE_NOT_FOUND', { path });
    }
    return file;
  }

  info(path: string): FileInfo {
    if (this.isDirectory(path)) {
      return { path, kind: 'directory', size: 0, etag: '', modifyTimeMs: undefined };
    }
    const { data, etag, modifyTimeMs } = this.file(path);
    return { path, kind: 'file', size: data.length, etag, modifyTimeMs };
  }

  /** Files at or under a path, in order of their paths. */
  under(path: string): string[] {
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...this.#files.keys()].filter((each) => each === path || each.startsWith(prefix)).sort();
  }

  children(path: string): FileInfo[] {
    const paths = [...this.#directories, ...this.#files.keys()];
    return paths
      .filter((each) => each !== '/' && parentOf(each) === path)
      .sort()
      .map((each) => this.info(each));
  }

  assertWritable(path: string): void {
    if (path.startsWith('/inputs/')) {
      throw fileError('MOUNT_READ_ONLY', { path, mount: '/inputs' });
    }
  }

  assertVersion(path: string, etag: string | undefined): void {
    if (etag !== undefined && this.find(path)?.etag !== etag) {
      throw fileError('ETAG_MISMATCH', { path });
    }
  }
}

class BoundFiles implements Files {
  readonly #all: InMemoryFiles;
  readonly #call: FileCall;

  constructor(all: InMemoryFiles, call: FileCall) {
    this.#all = all;
    this.#call = call;
  }

  async mounts() {
    await this.#all.begin(this.#call, '/');
    return [
      { path: '/inputs', isReadOnly: true },
      { path: '/workspace', isReadOnly: false },
    ];
  }

  async stat(path: string) {
    await this.#all.begin(this.#call, path);
    return this.#all.info(path);
  }

  async list(path: string, { pageSize, pageToken }: PageRequest) {
    await this.#all.begin(this.#call, path);
    if (!this.#all.isDirectory(path)) {
      throw fileError(this.#all.find(path) === undefined ? 'FILE_NOT_FOUND' : 'NOT_A_DIRECTORY', { path });
    }
    const entries = this.#all.children(path);
    const end = Number(pageToken) + pageSize;
    const nextPageToken = end < entries.length ? String(end) : '';
    return { entries: entries.slice(Number(pageToken), end), nextPageToken, partialSources: this.#all.partialSources };
  }

  async read(path: string, { offset, length }: ByteRange) {
    await this.#all.begin(this.#call, path);
    return { data: this.#all.file(path).data.slice(offset, offset + length), file: this.#all.info(path) };
  }

  async write(path: string, data: Uint8Array, guard: WriteGuard) {
    await this.#all.begin(this.#call, path);
    this.#all.assertWritable(path);
    if (this.#all.isDirectory(path)) {
      throw fileError('NOT_A_FILE', { path });
    }
    const isNew = this.#all.find(path) === undefined;
    if (guard.type === 'create-only' && !isNew) {
      throw fileError('FILE_EXISTS', { path });
    }
    this.#all.assertVersion(path, guard.type === 'if-match' ? guard.etag : undefined);
    return { file: this.#all.put(path, data), isNew };
  }

  async edit(path: string, { oldText, newText, replacesAll, etag }: TextEdit) {
    await this.#all.begin(this.#call, path);
    this.#all.assertWritable(path);
    this.#all.file(path);
    this.#all.assertVersion(path, etag);
    const parts = this.#all.text(path).split(oldText);
    const count = parts.length - 1;
    if (count === 0) {
      throw fileError('EDIT_NO_MATCH', { path });
    }
    if (count > 1 && !replacesAll) {
      throw fileError('EDIT_AMBIGUOUS', { path, count });
    }
    return { file: this.#all.put(path, parts.join(newText)), replacements: count };
  }

  async makeDirectory(path: string) {
    await this.#all.begin(this.#call, path);
    this.#all.assertWritable(path);
    if (this.#all.find(path) !== undefined) {
      throw fileError('NOT_A_DIRECTORY', { path });
    }
    this.#all.addDirectory(path);
    return this.#all.info(path);
  }

  async delete(path: string, { isRecursive, etag }: DeleteOptions) {
    await this.#all.begin(this.#call, path);
    this.#all.assertWritable(path);
    this.#all.info(path);
    this.#all.assertVersion(path, etag);
    if (!isRecursive && this.#all.children(path).length > 0) {
      throw fileError('DIRECTORY_NOT_EMPTY', { path });
    }
    [...this.#all.under(path), path].forEach((each) => this.#all.remove(each));
  }

  async move(fromPath: string, toPath: string) {
    await this.#all.begin(this.#call, fromPath);
    this.#all.assertWritable(fromPath);
    this.#all.assertWritable(toPath);
    this.#all.info(fromPath);
    if (this.#all.find(toPath) !== undefined || this.#all.isDirectory(toPath)) {
      throw fileError('FILE_EXISTS', { path: toPath });
    }
    if (this.#all.isDirectory(fromPath)) {
      this.#all.addDirectory(toPath);
    }
    for (const each of this.#all.under(fromPath)) {
      this.#all.put(toPath + each.slice(fromPath.length), this.#all.file(each).data);
      this.#all.remove(each);
    }
    this.#all.remove(fromPath);
    return this.#all.info(toPath);
  }

  async glob({ path, pattern, limit }: GlobQuery) {
    await this.#all.begin(this.#call, path);
    const files = this.#all
      .under(path)
      .filter((each) => matchesGlob(relativeTo(path, each), pattern))
      .map((each) => this.#all.info(each))
      .sort((a, b) => (b.modifyTimeMs ?? 0) - (a.modifyTimeMs ?? 0));
    const { partialSources } = this.#all;
    return { files: files.slice(0, limit), isTruncated: files.length > limit, partialSources };
  }

  grep(query: GrepQuery): AsyncGenerator<GrepItem> {
    return grepIn(this.#all, this.#call, query);
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
