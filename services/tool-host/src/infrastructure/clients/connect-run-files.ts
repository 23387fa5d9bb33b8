import { type CallOptions, type Client, createClient, type Transport } from '@connectrpc/connect';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { callOptions, toDomainError } from '@spanwise/service-kit';
import type * as domain from '@spanwise/tool-kit/contract';
import type { FileCall, RunFiles } from '../../application/ports/run-files.ts';
import { hasReason, restateFileError } from '../../domain/files/file-errors.ts';
import { toFileInfo, toGrepItems } from './file-mapping.ts';

type FileSystemClient = Client<typeof FileSystemService>;

/** The files of runs over FileSystemService. A view that is not there yet is opened and the operation repeated once. */
export class ConnectRunFiles implements RunFiles {
  readonly #client: FileSystemClient;

  constructor(transport: Transport) {
    this.#client = createClient(FileSystemService, transport);
  }

  bind(call: FileCall): domain.Files {
    return new ConnectFiles(this.#client, call);
  }
}

class ConnectFiles implements domain.Files {
  readonly #client: FileSystemClient;
  readonly #call: FileCall;
  readonly #options: CallOptions;
  /** What makes a change happen once, and not after the session was shut. */
  readonly #change: { readonly epoch: bigint; readonly idempotencyKey: string };

  constructor(client: FileSystemClient, call: FileCall) {
    this.#client = client;
    this.#call = call;
    this.#options = callOptions({ identity: call.caller, span: call.span }, call.signal);
    this.#change = { epoch: BigInt(call.epoch), idempotencyKey: call.idempotencyKey };
  }

  async mounts() {
    const { view } = await this.#ask('/', (viewId) => this.#client.describeView({ viewId }, this.#options));
    return (view?.mounts ?? []).map(({ path, readOnly: isReadOnly }) => ({ path, isReadOnly }));
  }

  async stat(path: string) {
    const { file } = await this.#ask(path, (viewId) => this.#client.stat({ viewId, path }, this.#options));
    return toFileInfo(file);
  }

  async list(path: string, page: domain.PageRequest) {
    const answer = await this.#ask(path, (viewId) => this.#client.list({ viewId, path, ...page }, this.#options));
    const { entries, nextPageToken, partialSources } = answer;
    return { entries: entries.map(toFileInfo), nextPageToken, partialSources };
  }

  async read(path: string, { offset, length }: domain.ByteRange) {
    const request = { path, offset: BigInt(offset), length };
    const answer = await this.#ask(path, (viewId) => this.#client.read({ viewId, ...request }, this.#options));
    return { data: answer.data, file: toFileInfo(answer.file) };
  }

  async write(path: string, data: Uint8Array<ArrayBuffer>, guard: domain.WriteGuard) {
    const allowed = guard.type === 'create-only' ? { createOnly: true } : { ifMatch: guard.etag };
    const request = { path, data, ...allowed, ...this.#change };
    const answer = await this.#ask(path, (viewId) => this.#client.write({ viewId, ...request }, this.#options));
    return { file: toFileInfo(answer.file), isNew: answer.created };
  }

  async edit(path: string, { oldText, newText, replacesAll, etag = '' }: domain.TextEdit) {
    const request = { path, oldText, newText, replaceAll: replacesAll, ifMatch: etag, ...this.#change };
    const answer = await this.#ask(path, (viewId) => this.#client.edit({ viewId, ...request }, this.#options));
    return { file: toFileInfo(answer.file), replacements: answer.replacements };
  }

  async makeDirectory(path: string) {
    const request = { path, ...this.#change };
    const { file } = await this.#ask(path, (viewId) =>
      this.#client.makeDirectory({ viewId, ...request }, this.#options),
    );
    return toFileInfo(file);
  }

  async delete(path: string, { isRecursive, etag = '' }: domain.DeleteOptions) {
    const request = { path, recursive: isRecursive, ifMatch: etag, ...this.#change };
    await this.#ask(path, (viewId) => this.#client.delete({ viewId, ...request }, this.#options));
  }

  async move(fromPath: string, toPath: string) {
    const request = { fromPath, toPath, ...this.#change };
    const { file } = await this.#ask(fromPath, (viewId) => this.#client.move({ viewId, ...request }, this.#options));
    return toFileInfo(file);
  }

  async glob(query: domain.GlobQuery) {
    const answer = await this.#ask(query.path, (viewId) => this.#client.glob({ viewId, ...query }, this.#options));
    const { files, truncated: isTruncated, partialSources } = answer;
    return { files: files.map(toFileInfo), isTruncated, partialSources };
  }

  async *grep({ ignoresCase, ...query }: domain.GrepQuery): AsyncGenerator<domain.GrepItem> {
    // Leaving the iteration does not end the RPC; aborting its signal does.
    const left = new AbortController();
    const options = { ...this.#options, signal: AbortSignal.any([this.#call.signal, left.signal]) };
    const begin = async (viewId: string) => {
      const messages = this.#client.grep({ viewId, ...query, ignoreCase: ignoresCase }, options);
      const iterator = messages[Symbol.asyncIterator]();
      return { iterator, first: await iterator.next() };
    };
    try {
      const { iterator, first } = await this.#ask(query.path, begin);
      for (let next = first; next.done !== true; next = await this.#once(query.path, () => iterator.next())) {
        yield* toGrepItems(next.value);
      }
    } finally {
      left.abort();
    }
  }

  async #ask<Answer>(path: string, operate: (viewId: string) => Promise<Answer>): Promise<Answer> {
    const { viewId, sessionId } = this.#call;
    try {
      return await this.#once(path, () => operate(viewId));
    } catch (error) {
      if (!hasReason(error, 'VIEW_NOT_FOUND')) {
        throw error;
      }
    }
    await this.#once(path, () => this.#client.openView({ viewId, sessionId }, this.#options));
    return this.#once(path, () => operate(viewId));
  }

  async #once<Answer>(path: string, operate: () => Promise<Answer>): Promise<Answer> {
    try {
      return await operate();
    } catch (error) {
      throw restateFileError(toDomainError(error), path);
    }
  }
}
