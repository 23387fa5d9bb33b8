import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import { FileKind, FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import {
  callContextKey,
  forwardedAuthenticate,
  type RunningServer,
  requireIdentity,
  serve,
} from '@spanwise/service-kit';
import { silentLogger, Telemetry } from '@spanwise/telemetry';
import type { FileInfo, Files } from '@spanwise/tool-kit/contract';
import { fileError } from '../src/domain/files/file-errors.ts';
import { InMemoryFiles } from './in-memory-files.ts';

/** An RPC that reached the server, and the headers that tell for whom and where in the trace. */
export interface ReceivedRpc {
  readonly rpc: string;
  readonly uid: string | null;
  readonly email: string | null;
  readonly token: string | null;
  /** Span that the RPC is a leaf of. */
  readonly spanId: string | undefined;
}

/** A change that was asked for, and what makes it happen once. */
export interface RequestedChange {
  readonly rpc: string;
  readonly epoch: bigint;
  readonly idempotencyKey: string;
}

/** FileSystemService over the wire, on files in memory. A view has to be opened before it is used. */
export class FileSystemServer implements AsyncDisposable {
  readonly memory = new InMemoryFiles();
  readonly received: ReceivedRpc[] = [];
  /** Epoch and key of each change that was asked for. */
  readonly changes: RequestedChange[] = [];
  readonly #keys = new Map<string, string>();
  readonly #views = new Set<string>();
  #server: RunningServer | undefined;

  get url(): string {
    return this.#server?.url ?? '';
  }

  /** Listens on any free port, or on the given one. */
  async start(port = 0): Promise<this> {
    this.#server = await serve({
      host: '127.0.0.1',
      port,
      services: [FileSystemService],
      routes: (router) => router.service(FileSystemService, this.#handler()),
      authenticate: forwardedAuthenticate(),
      trustsTraceparent: true,
      telemetry: new Telemetry({ service: 'filesystem', env: {} }),
      logger: silentLogger,
      limits: { readMaxBytes: 16 * 1024 * 1024, writeMaxBytes: 16 * 1024 * 1024 },
    });
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }

  #receive(context: HandlerContext): void {
    const header = (name: string) => context.requestHeader.get(name);
    const spanId = context.values.get(callContextKey).span?.span.id;
    const identity = { uid: header('uid'), email: header('email'), token: header('token') };
    this.received.push({ rpc: context.method.name, ...identity, spanId });
  }

  /** Refuses a key that another request had. The same request would have to be answered as before: no test needs that. */
  #change(change: RequestedChange, request: readonly unknown[]): void {
    this.changes.push(change);
    const known = this.#keys.get(change.idempotencyKey);
    if (known !== undefined && known !== JSON.stringify(request)) {
      throw fileError('IDEMPOTENCY_KEY_REUSED', {});
    }
    this.#keys.set(change.idempotencyKey, JSON.stringify(request));
  }

  #files(viewId: string, context: HandlerContext): Files {
    this.#receive(context);
    if (!this.#views.has(viewId)) {
      throw fileError('VIEW_NOT_FOUND', {});
    }
    return this.memory.bind({
      caller: requireIdentity(context),
      sessionId: brandId<SessionId>(''),
      viewId: brandId<RunId>(viewId),
      span: { span: { id: '', par: '' }, traceId: '', traceFlags: 0 },
      epoch: 1,
      idempotencyKey: '',
      signal: context.signal,
    });
  }

  #handler(): Partial<ServiceImpl<typeof FileSystemService>> {
    return {
      openView: ({ viewId, sessionId }, context) => {
        this.#receive(context);
        this.#views.add(viewId);
        return { view: { id: viewId, sessionId } };
      },
      describeView: async ({ viewId }, context) => {
        const mounts = await this.#files(viewId, context).mounts();
        return { view: { mounts: mounts.map(({ path, isReadOnly: readOnly }) => ({ path, readOnly })) } };
      },
      stat: async ({ viewId, path }, context) => ({ file: toMessage(await this.#files(viewId, context).stat(path)) }),
      list: async ({ viewId, path, pageSize, pageToken }, context) => {
        const page = await this.#files(viewId, context).list(path, { pageSize, pageToken });
        const { nextPageToken, partialSources } = page;
        return { entries: page.entries.map(toMessage), nextPageToken, partialSources: [...partialSources] };
      },
      read: async ({ viewId, path, offset, length }, context) => {
        const { data, file } = await this.#files(viewId, context).read(path, { offset: Number(offset), length });
        return { data: new Uint8Array(data), file: toMessage(file) };
      },
      write: async ({ viewId, path, data, ifMatch, epoch, idempotencyKey }, context) => {
        this.#change({ rpc: 'Write', epoch, idempotencyKey }, [path, data.join(), ifMatch]);
        const guard =
          ifMatch === '' ? ({ type: 'create-only' } as const) : ({ type: 'if-match', etag: ifMatch } as const);
        const { file, isNew } = await this.#files(viewId, context).write(path, data, guard);
        return { file: toMessage(file), created: isNew };
      },
      edit: async ({ viewId, path, oldText, newText, replaceAll, ifMatch, epoch, idempotencyKey }, context) => {
        this.#change({ rpc: 'Edit', epoch, idempotencyKey }, [path, oldText, newText, replaceAll, ifMatch]);
        const edit = { oldText, newText, replacesAll: replaceAll, etag: ifMatch === '' ? undefined : ifMatch };
        const { file, replacements } = await this.#files(viewId, context).edit(path, edit);
        return { file: toMessage(file), replacements };
      },
      makeDirectory: async ({ viewId, path }, context) => ({
        file: toMessage(await this.#files(viewId, context).makeDirectory(path)),
      }),
      delete: async ({ viewId, path, recursive, ifMatch }, context) => {
        const options = { isRecursive: recursive, etag: ifMatch === '' ? undefined : ifMatch };
        await this.#files(viewId, context).delete(path, options);
        return {};
      },
      move: async ({ viewId, fromPath, toPath }, context) => ({
        file: toMessage(await this.#files(viewId, context).move(fromPath, toPath)),
      }),
      glob: async ({ viewId, path, pattern, limit }, context) => {
        const found = await this.#files(viewId, context).glob({ path, pattern, limit });
        const { files, isTruncated, partialSources } = found;
        return { files: files.map(toMessage), truncated: isTruncated, partialSources: [...partialSources] };
      },
      grep: (request, context) => this.#grep(this.#files(request.viewId, context), request),
    };
  }

  async *#grep(files: Files, request: Omit<Parameters<Files['grep']>[0], 'ignoresCase'> & { ignoreCase: boolean }) {
    for await (const item of files.grep({ ...request, ignoresCase: request.ignoreCase })) {
      if (item.type === 'match') {
        const { path, line, text, before, after } = item;
        yield { matches: [{ path, line, text, before: [...before], after: [...after] }] };
      } else {
        const { type: _, isTruncated, partialSources, ...counts } = item;
        yield { summary: { ...counts, truncated: isTruncated, partialSources: [...partialSources] } };
      }
    }
  }
}

function toMessage({ path, kind, size, etag, modifyTimeMs }: FileInfo) {
  return {
    path,
    kind: kind === 'file' ? FileKind.FILE : FileKind.DIRECTORY,
    size: BigInt(size),
    etag,
    ...(modifyTimeMs === undefined ? {} : { modifyTime: timestampFromMs(modifyTimeMs) }),
  };
}
