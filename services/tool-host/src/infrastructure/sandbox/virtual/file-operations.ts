import { DomainError } from '@spanwise/kernel';
import { type FileInfo, type Files, resolvePath } from '@spanwise/tool-kit/contract';
import { type FileErrorReason, fileError, hasReason } from '../../../domain/files/file-errors.ts';
import type { FileOperation, SentFile } from './messages.ts';

/** What the process of a command is answered. */
export interface DoneOperation {
  readonly value: unknown;
  readonly data?: Uint8Array;
}

const pageSize = 1000;

/** Does a file operation of a command on the view of its run. Fails as the files do. */
export async function doFileOperation(files: Files, asked: FileOperation, data: Uint8Array): Promise<DoneOperation> {
  const path = pathOf(asked.path);
  switch (asked.operation) {
    case 'stat':
      return { value: sent(await files.stat(path)) };
    case 'list': {
      const { entries, nextPageToken } = await files.list(path, { pageSize, pageToken: asked.pageToken });
      return { value: { entries: entries.map(sent), nextPageToken } };
    }
    case 'read': {
      const { data: read, file } = await files.read(path, { offset: asked.offset, length: asked.length });
      return { value: sent(file), data: read };
    }
    case 'write': {
      const guard =
        asked.etag === '' ? ({ type: 'create-only' } as const) : { type: 'if-match' as const, etag: asked.etag };
      return { value: sent((await files.write(path, data, guard)).file) };
    }
    case 'make-directory':
      return { value: sent(await files.makeDirectory(path)) };
    case 'delete': {
      const { isRecursive, etag } = asked;
      await files.delete(path, { isRecursive, etag: etag === '' ? undefined : etag });
      return { value: null };
    }
    case 'move':
      return { value: sent(await files.move(path, pathOf(asked.toPath))) };
  }
}

function pathOf(asked: string): string {
  if (!asked.isWellFormed()) {
    throw fileError('PATH_INVALID', { path: asked.toWellFormed(), why: 'it is no well-formed Unicode' });
  }
  return resolvePath(asked);
}

function sent({ path, kind, size, etag, modifyTimeMs }: FileInfo): SentFile {
  return { path, kind, size, etag, ...(modifyTimeMs === undefined ? {} : { modifyTimeMs }) };
}

/** What a shell says of failures, which commands look at; what else fails ends the command. */
const errno: Partial<Record<FileErrorReason, readonly [code: string, message: string]>> = {
  FILE_NOT_FOUND: ['ENOENT', 'no such file or directory'],
  NOT_A_DIRECTORY: ['ENOTDIR', 'not a directory'],
  NOT_A_FILE: ['EISDIR', 'illegal operation on a directory'],
  FILE_EXISTS: ['EEXIST', 'file already exists'],
  DIRECTORY_NOT_EMPTY: ['ENOTEMPTY', 'directory not empty'],
  MOUNT_READ_ONLY: ['EROFS', 'read-only file system'],
  FILE_TOO_LARGE: ['EFBIG', 'file too large'],
  ETAG_MISMATCH: ['EBUSY', 'somebody else has changed it since this command has read it'],
  PATH_INVALID: ['EINVAL', 'invalid path'],
  CROSS_DISK: ['EXDEV', 'cross-device link not permitted'],
  DISK_UNSUPPORTED: ['ENOTSUP', 'operation not supported by this disk'],
  DISK_UNAVAILABLE: ['EIO', 'the files could not be reached'],
  DISK_AUTH_REQUIRED: ['EACCES', 'the user has to sign in again before it can be used'],
  FILE_ACCESS_DENIED: ['EACCES', 'permission denied'],
};

/** How a command is told of a failure; undefined when it is none that a command can know of: it ends the command. */
export function errnoOf(
  error: unknown,
  { operation, path }: FileOperation,
): { code: string; message: string } | undefined {
  if (!(error instanceof DomainError)) {
    return undefined;
  }
  const reasons = Object.keys(errno) as FileErrorReason[];
  const reason = reasons.find((each) => hasReason(error, each));
  const known = reason === undefined ? undefined : errno[reason];
  return known === undefined ? undefined : { code: known[0], message: `${known[1]}, ${operation} '${path}'` };
}
