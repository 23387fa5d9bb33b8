import { DomainError, type ErrorFacts, type ErrorKind, excerpt } from '@spanwise/kernel';
import type { VirtualPath } from '../path/virtual-path.ts';

interface FileProblem {
  readonly kind: ErrorKind;
  readonly reason: string;
  /** Message for a quoted path. */
  readonly message: (path: string) => string;
  readonly facts?: ErrorFacts;
}

/**
 * A failure about one path, which its facts name. A disk raises it with its own path; {@link FileError.at} makes it tell
 * the path that the caller knows.
 */
export class FileError extends DomainError {
  readonly path: VirtualPath;
  readonly #problem: FileProblem;

  constructor(problem: FileProblem, path: VirtualPath) {
    const { kind, reason, message, facts } = problem;
    super(kind, reason, message(excerpt(path.text)), { facts: { ...facts, path: path.text } });
    this.path = path;
    this.#problem = problem;
  }

  /** The same failure, told with another path. */
  at(path: VirtualPath): FileError {
    return new FileError(this.#problem, path);
  }
}

/** Nothing is at the path, or no mount covers it. The caller lists what is there. */
export function fileNotFound(path: VirtualPath): FileError {
  return new FileError(
    { kind: 'not-found', reason: 'FILE_NOT_FOUND', message: (text) => `Nothing is at ${text}.` },
    path,
  );
}

/** The disk does not let the user do this. The caller asks its owner or takes another path. */
export function fileAccessDenied(path: VirtualPath): FileError {
  return new FileError(
    { kind: 'denied', reason: 'FILE_ACCESS_DENIED', message: (text) => `The disk does not allow this: ${text}.` },
    path,
  );
}

/** A directory is needed, and the path is a file or something that is never followed, such as a link. */
export function notADirectory(path: VirtualPath): FileError {
  return new FileError(
    { kind: 'precondition', reason: 'NOT_A_DIRECTORY', message: (text) => `Not a directory: ${text}.` },
    path,
  );
}

/** A regular file is needed, and the path is a directory, link, pipe, socket, device or a file with several names. */
export function notAFile(path: VirtualPath): FileError {
  return new FileError(
    { kind: 'precondition', reason: 'NOT_A_FILE', message: (text) => `Not a regular file: ${text}.` },
    path,
  );
}

/** Something is at the path where nothing may be. The caller takes another name or drops the guard. */
export function fileExists(path: VirtualPath): FileError {
  return new FileError(
    { kind: 'exists', reason: 'FILE_EXISTS', message: (text) => `Something is already at ${text}.` },
    path,
  );
}

/** The file is not the one that the caller has read; `etag` is its current one, empty when it is gone. */
export function etagMismatch(path: VirtualPath, etag: string): FileError {
  return new FileError(
    {
      kind: 'aborted',
      reason: 'ETAG_MISMATCH',
      message: (text) => `Changed since it was read: ${text}. Read it again.`,
      facts: { etag },
    },
    path,
  );
}

/** A directory still holds something. The caller empties it or removes it recursively. */
export function directoryNotEmpty(path: VirtualPath): FileError {
  return new FileError(
    { kind: 'precondition', reason: 'DIRECTORY_NOT_EMPTY', message: (text) => `The directory is not empty: ${text}.` },
    path,
  );
}

/** The file is, or would be, longer than `limitBytes`. The caller writes less or splits it. */
export function fileTooLarge(path: VirtualPath, limitBytes: number): FileError {
  return new FileError(
    {
      kind: 'exhausted',
      reason: 'FILE_TOO_LARGE',
      message: (text) => `Over the limit of ${limitBytes} bytes a file: ${text}.`,
      facts: { limit_bytes: limitBytes },
    },
    path,
  );
}

/** The text to replace is not in the file. The caller reads it again and copies the text exactly. */
export function editNoMatch(path: VirtualPath): FileError {
  return new FileError(
    { kind: 'precondition', reason: 'EDIT_NO_MATCH', message: (text) => `The text to replace is not in ${text}.` },
    path,
  );
}

/** The text to replace is in the file `count` times. The caller adds surrounding text or asks to replace all. */
export function editAmbiguous(path: VirtualPath, count: number): FileError {
  return new FileError(
    {
      kind: 'precondition',
      reason: 'EDIT_AMBIGUOUS',
      message: (text) => `The text to replace is in ${text} ${count} times.`,
      facts: { count },
    },
    path,
  );
}

/** The path can not be used for this operation. The caller chooses another one; `why` says what is wrong. */
export function pathUnusable(path: VirtualPath, why: string): FileError {
  return new FileError(
    {
      kind: 'invalid',
      reason: 'PATH_INVALID',
      message: (text) => `Not a usable path: ${text}: ${why}.`,
      facts: { why },
    },
    path,
  );
}
