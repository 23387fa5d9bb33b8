import type { RunId } from '@spanwise/kernel';
import type { Change } from '../domain/change/change.ts';
import { idempotencyKeyReused } from '../domain/change/change-errors.ts';
import type { Caller } from '../domain/disk/caller.ts';
import { fileExists, fileTooLarge, notAFile } from '../domain/disk/file-errors.ts';
import { type FileStore, maxStreamedBytes, type WriteGuard, type WriteOutcome } from '../domain/disk/file-store.ts';
import type { OutputLog } from '../domain/output/output-log.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { ReceivedUpload } from '../domain/upload/received-upload.ts';
import { checksumMismatch, uploadIncomplete, uploadNotFound } from '../domain/upload/upload-errors.ts';
import type { CallerViews } from './caller-views.ts';
import type { MountedDisk } from './mounted-disk.ts';
import type { PathChangeRequest } from './path-request.ts';
import type { Changes } from './ports/changes.ts';
import type { StartChecksum } from './ports/checksum.ts';
import type { Uploads } from './ports/uploads.ts';
import { ReceivedParts } from './received-parts.ts';
import type { SessionStreams } from './session-streams.ts';
import type { ViewTree } from './view-tree.ts';
import type { WriteFileOutcome } from './write-file.ts';
import { writeOnce } from './write-once.ts';

export interface UploadBegin extends PathChangeRequest, WriteGuard {
  /** Unique to the view. */
  readonly uploadId: string;
  /** Where the first chunk belongs. */
  readonly offset: number;
}

/** A part of an upload after its begin. */
export type UploadPart =
  | { readonly type: 'chunk'; readonly data: Uint8Array }
  /** SHA-256 of the whole content, in hex. */
  | { readonly type: 'end'; readonly sha256: string };

/** What an upload with a key has answered. */
interface UploadAnswer extends WriteOutcome {
  readonly sha256: string;
}

export interface UploadDeps {
  readonly views: CallerViews;
  readonly outputs: OutputLog;
  readonly changes: Changes;
  readonly uploads: Uploads;
  readonly streams: SessionStreams;
  readonly startChecksum: StartChecksum;
}

interface Target {
  readonly tree: ViewTree;
  readonly path: VirtualPath;
  readonly disk: MountedDisk;
}

/** Writes a whole file from a stream. What was received is kept until the file is written or the upload is too old. */
export class Upload {
  readonly #deps: UploadDeps;

  constructor(deps: UploadDeps) {
    this.#deps = deps;
  }

  /**
   * Throws what {@link WriteFile.execute} throws, UPLOAD_INCOMPLETE, CHECKSUM_MISMATCH, TOO_MANY_STREAMS, QUOTA_EXCEEDED, and
   * what `parts` throws; then no file was written.
   */
  async execute(
    caller: Caller,
    begin: UploadBegin,
    parts: AsyncIterable<UploadPart>,
    signal: AbortSignal,
  ): Promise<WriteFileOutcome> {
    const { views, outputs, changes, streams } = this.#deps;
    const tree = await views.open(caller, begin.viewId);
    using _open = streams.open(tree.view.sessionId);
    const path = VirtualPath.parse(begin.path);
    const disk = tree.diskToChange(path);
    if (disk === undefined || tree.view.isFixed(path)) {
      throw begin.createOnly === true ? fileExists(path) : notAFile(path);
    }
    const change = tree.view.change(begin);
    const kept = await changes.find<UploadAnswer>(change);
    const answer = kept ?? (await this.#receive(caller, { tree, path, disk }, begin, parts, signal));
    if (kept !== undefined) {
      await assertAnswers(kept, path, parts);
    }
    if (disk.mount.isOutput) {
      await outputs.add(tree.view.id, [path]);
    }
    return { path, node: answer.node, isCreated: answer.isCreated };
  }

  async #receive(
    caller: Caller,
    target: Target,
    begin: UploadBegin,
    parts: AsyncIterable<UploadPart>,
    signal: AbortSignal,
  ): Promise<UploadAnswer> {
    const { uploads } = this.#deps;
    const key = { viewId: target.tree.view.id, uploadId: begin.uploadId };
    const received = new ReceivedParts(uploads, target.path, await uploads.begin(key, caller.uid, begin.offset));
    try {
      for await (const part of parts) {
        if (part.type === 'end') {
          await received.flush();
          return await this.#finish(target, begin, received.upload, part.sha256, signal);
        }
        await received.add(part.data);
      }
    } catch (error) {
      // Whatever ended the stream: another one goes on after what has come.
      await received.flush().catch(() => undefined);
      throw error;
    }
    await received.flush();
    throw uploadIncomplete(received.upload.size);
  }

  async #finish(
    { tree, path, disk }: Target,
    begin: UploadBegin,
    upload: ReceivedUpload,
    sha256: string,
    signal: AbortSignal,
  ): Promise<UploadAnswer> {
    const { changes, uploads } = this.#deps;
    const data = await this.#assertChecksum(upload, sha256, !disk.takesBlobs);
    const mayBeRepeated = begin.once !== undefined && !disk.store.capabilities.atomic;
    const write = async (store: FileStore): Promise<UploadAnswer> => {
      const on = disk.on(store);
      const content = { etag: sha256, size: upload.size, upload };
      const outcome = await (data === undefined
        ? on.writeStored(path, content, begin, signal)
        : writeOnce(on, path, { ...begin, data, mayBeRepeated }, signal));
      return { ...outcome, sha256 };
    };
    const change: Change = tree.view.change(begin);
    const { answer } = await changes.make(change, disk.store, write, signal);
    if (answer.sha256 !== sha256) {
      throw idempotencyKeyReused();
    }
    if (data !== undefined) {
      await uploads.drop(upload);
    }
    return answer;
  }

  /** Answers the content if it is needed. Throws CHECKSUM_MISMATCH. */
  async #assertChecksum(upload: ReceivedUpload, sha256: string, isNeeded: boolean): Promise<Uint8Array | undefined> {
    const checksum = this.#deps.startChecksum();
    const data = isNeeded ? new Uint8Array(upload.size) : undefined;
    let done = 0;
    for await (const piece of this.#deps.uploads.pieces(upload)) {
      checksum.add(piece);
      data?.set(piece, done);
      done += piece.length;
    }
    const found = checksum.hex();
    if (found !== sha256) {
      throw checksumMismatch(found);
    }
    return data;
  }

  /** Tells how much was received of an upload. Throws VIEW_NOT_FOUND or UPLOAD_NOT_FOUND. */
  async received(caller: Caller, request: { readonly viewId: RunId; readonly uploadId: string }): Promise<number> {
    const { id: viewId } = await this.#deps.views.find(caller, request.viewId);
    const received = await this.#deps.uploads.received({ viewId, uploadId: request.uploadId });
    if (received === undefined) {
      throw uploadNotFound();
    }
    return received;
  }
}

/** Takes what a repeated upload sends. Throws IDEMPOTENCY_KEY_REUSED when it is another content. */
async function assertAnswers(kept: UploadAnswer, path: VirtualPath, parts: AsyncIterable<UploadPart>): Promise<void> {
  let bytes = 0;
  for await (const part of parts) {
    if (part.type === 'end') {
      if (part.sha256 !== kept.sha256) {
        throw idempotencyKeyReused();
      }
      return;
    }
    bytes += part.data.length;
    if (bytes > maxStreamedBytes) {
      throw fileTooLarge(path, maxStreamedBytes);
    }
  }
  throw uploadIncomplete(kept.node.size);
}
