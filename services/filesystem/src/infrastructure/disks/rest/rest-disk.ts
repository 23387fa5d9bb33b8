import type { Caller } from '../../../domain/disk/caller.ts';
import { diskUnsupported } from '../../../domain/disk/disk-errors.ts';
import {
  etagMismatch,
  type FileError,
  fileExists,
  fileNotFound,
  notAFile,
  pathUnusable,
} from '../../../domain/disk/file-errors.ts';
import {
  type ByteRange,
  type DirectoryNode,
  type DiskCapabilities,
  type DiskNode,
  type DiskPage,
  type FileSlice,
  type FileStore,
  type ListRequest,
  maxFileBytes,
  type RemoveRequest,
  type WriteGuard,
  type WriteOutcome,
} from '../../../domain/disk/file-store.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';
import type { RestAddress } from './rest-address.ts';
import type { RestAnswer } from './rest-answer.ts';
import type { RestConnection, RestRequest } from './rest-connection.ts';
import { type AskedOf, toldFailure } from './rest-failures.ts';
import { maxPageEntries, readNode, readPage } from './rest-listing.ts';
import { directoryMediaType, directoryOf, fileOf, ifMatchOf, nodeOf } from './rest-nodes.ts';
import { rangeHeader, readSlice } from './rest-slice.ts';

/** What the server of a disk can do. What is not stated is not relied on. */
export interface RestAbilities {
  /** It has strong ETags and honours If-Match. */
  readonly ifMatch: boolean;
  /** It honours `If-None-Match: *`. */
  readonly createOnly: boolean;
  /** True: nothing is ever changed. */
  readonly isReadOnly: boolean;
}

export interface RestDiskDeps {
  /** Name of the disk. */
  readonly name: string;
  readonly address: RestAddress;
  /** The disk disposes of it. */
  readonly connection: RestConnection;
  readonly abilities: RestAbilities;
}

/**
 * Files at somebody's HTTP file API (rest-disk.openapi.yaml). Every change is one request, and as atomic as the server
 * makes it; the directories above a path are the server's to make. A change whose answer is lost may have happened: it
 * fails with DISK_UNAVAILABLE and is not sent again. Nothing is kept between requests, so that any number of replicas can
 * serve the same files.
 */
export class RestDisk implements FileStore, AsyncDisposable {
  readonly capabilities: DiskCapabilities;
  readonly #deps: RestDiskDeps;

  constructor(deps: RestDiskDeps) {
    const { ifMatch, createOnly } = deps.abilities;
    this.#deps = deps;
    this.capabilities = { ifMatch, createOnly, atomic: false };
  }

  async stat(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined> {
    const request: RestRequest = { method: 'HEAD', target: this.#deps.address.entry(path) };
    return this.#deps.connection.ask(caller, request, signal, async (answer) => {
      const isMissing = answer.status === 404 || answer.status === 410;
      if (!isMissing && answer.status !== 200) {
        throw await toldFailure(answer, { path, conflict: 'NOT_A_DIRECTORY' });
      }
      const node = isMissing ? undefined : nodeOf(answer, this.capabilities.ifMatch);
      if (path.isRoot && node?.kind !== 'directory') {
        throw answer.unusable('no directory at the base URL');
      }
      return node;
    });
  }

  async list(caller: Caller, path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<DiskPage> {
    const limit = Math.min(request.limit, maxPageEntries);
    const after = request.after === '' ? '' : `&after=${encodeURIComponent(request.after.toWellFormed())}`;
    const target = `${this.#deps.address.directory(path)}?limit=${limit}${after}`;
    return this.#deps.connection.ask(caller, { method: 'GET', target }, signal, async (answer) => {
      if (answer.status !== 200) {
        throw await toldFailure(answer, { path, conflict: 'NOT_A_DIRECTORY' });
      }
      return readPage(answer, { ...request, limit }, this.capabilities.ifMatch);
    });
  }

  async read(caller: Caller, path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<FileSlice> {
    const { offset } = range;
    const length = Math.min(range.length, maxFileBytes);
    if (path.isRoot) {
      throw notAFile(path);
    }
    if (length === 0) {
      return this.#readNothing(caller, path, signal);
    }
    const headers = { range: rangeHeader({ offset, length }) };
    const request: RestRequest = { method: 'GET', target: this.#deps.address.entry(path), headers };
    return this.#deps.connection.ask(caller, request, signal, async (answer) => {
      if (answer.status > 299 && answer.status !== 416) {
        throw await toldFailure(answer, { path, conflict: 'NOT_A_FILE' });
      }
      if (answer.mediaType === directoryMediaType) {
        throw notAFile(path);
      }
      return readSlice(answer, { offset, length }, this.capabilities.ifMatch);
    });
  }

  async write(
    caller: Caller,
    path: VirtualPath,
    data: Uint8Array,
    guard: WriteGuard,
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
    this.#assertMayChange(guard);
    if (path.isRoot) {
      throw guard.createOnly === true ? fileExists(path) : notAFile(path);
    }
    const headers = guardHeaders(guard);
    const request: RestRequest = {
      method: 'PUT',
      target: this.#deps.address.entry(path),
      headers: { 'content-type': 'application/octet-stream', ...headers },
      body: data,
    };
    const asked: AskedOf = { path, conflict: 'NOT_A_FILE', size: data.length };
    const read = (answer: RestAnswer): WriteOutcome => {
      const isCreated = answer.status === 201;
      if (isCreated ? guard.ifMatch !== undefined : guard.createOnly === true) {
        throw answer.unusable('a change that its guard forbids: the server ignores guards');
      }
      return { node: fileOf(answer, data.length, this.capabilities.ifMatch), isCreated };
    };
    const outcome = headers && (await this.#changeIf(caller, request, asked, signal, read));
    if (outcome === undefined) {
      throw await this.#writeRefusal(caller, path, guard, signal);
    }
    return outcome;
  }

  async remove(
    caller: Caller,
    path: VirtualPath,
    { isRecursive, ifMatch }: RemoveRequest,
    signal: AbortSignal,
  ): Promise<void> {
    this.#assertMayChange({ ifMatch });
    assertNotRoot(path);
    const headers = guardHeaders({ ifMatch });
    const target = `${this.#deps.address.entry(path)}${isRecursive ? '?recursive=true' : ''}`;
    const request: RestRequest = { method: 'DELETE', target, ...(headers && { headers }) };
    const asked: AskedOf = { path, conflict: 'DIRECTORY_NOT_EMPTY' };
    const isRemoved = headers && (await this.#changeIf(caller, request, asked, signal, () => true));
    if (isRemoved === undefined) {
      const node = await this.stat(caller, path, signal);
      throw node === undefined ? fileNotFound(path) : etagMismatch(path, etagOf(node));
    }
  }

  async rename(caller: Caller, from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<DiskNode> {
    this.#assertMayChange({});
    assertNotRoot(from);
    if (to.isRoot) {
      throw fileExists(to);
    }
    if (to.isWithin(from) && !to.equals(from)) {
      throw pathUnusable(to, 'it lies within what is moved');
    }
    const target = `${this.#deps.address.entry(from)}?move_to=${encodeURIComponent(to.text)}`;
    return this.#deps.connection.ask(caller, { method: 'POST', target }, signal, async (answer) => {
      await assertDone(answer, { path: to, source: from, conflict: 'FILE_EXISTS' });
      return readNode(answer, this.capabilities.ifMatch);
    });
  }

  async makeDirectory(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DirectoryNode> {
    this.#assertMayChange({});
    if (path.isRoot) {
      return { kind: 'directory', modifyTimeMs: undefined };
    }
    const request: RestRequest = { method: 'PUT', target: this.#deps.address.directory(path) };
    return this.#deps.connection.ask(caller, request, signal, async (answer) => {
      await assertDone(answer, { path, conflict: 'NOT_A_DIRECTORY' });
      return directoryOf(answer);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#deps.connection[Symbol.asyncDispose]();
  }

  async #readNothing(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<FileSlice> {
    const node = await this.stat(caller, path, signal);
    if (node?.kind !== 'file') {
      throw node === undefined ? fileNotFound(path) : notAFile(path);
    }
    return { data: new Uint8Array(), node };
  }

  /** Makes a change unless the server says that the guard in its headers does not hold; then undefined. */
  #changeIf<Result>(
    caller: Caller,
    request: RestRequest,
    asked: AskedOf,
    signal: AbortSignal,
    read: (answer: RestAnswer) => Result,
  ): Promise<Result | undefined> {
    return this.#deps.connection.ask(caller, request, signal, async (answer) => {
      if (answer.status === 412) {
        return undefined;
      }
      await assertDone(answer, asked);
      return read(answer);
    });
  }

  /** Why a guard did not hold, by what is there now. */
  async #writeRefusal(
    caller: Caller,
    path: VirtualPath,
    { createOnly }: WriteGuard,
    signal: AbortSignal,
  ): Promise<FileError> {
    const node = await this.stat(caller, path, signal);
    if (createOnly === true) {
      return fileExists(path);
    }
    return node?.kind === 'directory' ? notAFile(path) : etagMismatch(path, etagOf(node));
  }

  /** A guard that the server is not known to honour is refused here, too, whoever forgets to look at what is promised. */
  #assertMayChange({ ifMatch, createOnly }: WriteGuard): void {
    const { name, abilities } = this.#deps;
    if (abilities.isReadOnly) {
      throw diskUnsupported(name, 'changes');
    }
    if (ifMatch !== undefined && !abilities.ifMatch) {
      throw diskUnsupported(name, 'if_match');
    }
    if (createOnly === true && !abilities.createOnly) {
      throw diskUnsupported(name, 'create_only');
    }
  }
}

async function assertDone(answer: RestAnswer, asked: AskedOf): Promise<void> {
  if (answer.status !== 200 && answer.status !== 201 && answer.status !== 204) {
    throw await toldFailure(answer, asked);
  }
}

/** What tells a server of a guard; undefined when the guard can not hold, because no file has such an etag. */
function guardHeaders({ ifMatch, createOnly }: WriteGuard): Readonly<Record<string, string>> | undefined {
  const etag = ifMatch === undefined ? undefined : ifMatchOf(ifMatch);
  if (ifMatch !== undefined && etag === undefined) {
    return undefined;
  }
  return { ...(etag && { 'if-match': etag }), ...(createOnly === true && { 'if-none-match': '*' }) };
}

/** Of what is at a path; empty when it is no file. */
function etagOf(node: DiskNode | undefined): string {
  return node?.kind === 'file' ? node.etag : '';
}

function assertNotRoot(path: VirtualPath): void {
  if (path.isRoot) {
    throw pathUnusable(path, 'the root of a disk stays');
  }
}
