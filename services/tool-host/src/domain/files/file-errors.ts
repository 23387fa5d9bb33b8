import { DomainError, type ErrorFacts, type ErrorKind } from '@spanwise/kernel';

interface FileFailure {
  readonly kind: ErrorKind;
  /** What the model is told to do about it. */
  readonly advice: (facts: ErrorFacts) => string;
}

/** What can be wrong with a file operation, in words for the model. The reasons are those of the file service. */
const fileFailures = {
  VIEW_NOT_FOUND: { kind: 'not-found', advice: () => 'The files of this run are gone: work without them.' },
  PATH_INVALID: {
    kind: 'invalid',
    advice: ({ path, why = 'it is not a path' }) => `The path ${path} can not be used: ${why}.`,
  },
  FILE_NOT_FOUND: {
    kind: 'not-found',
    advice: ({ path }) => `There is nothing at ${path}. Use ls or glob to find what is there.`,
  },
  MOUNT_READ_ONLY: {
    kind: 'denied',
    advice: ({ path, mount }) => `${path} can not be changed: ${mount} is read-only. Write somewhere else.`,
  },
  NOT_A_DIRECTORY: { kind: 'precondition', advice: ({ path }) => `${path} is not a directory. Use read for a file.` },
  NOT_A_FILE: { kind: 'precondition', advice: ({ path }) => `${path} is not a file. Use ls for a directory.` },
  FILE_EXISTS: { kind: 'exists', advice: ({ path }) => `Something is at ${path} already. Choose another path.` },
  ETAG_MISMATCH: {
    kind: 'aborted',
    advice: ({ path }) => `${path} has changed since it was read. Read it again, then repeat what still applies.`,
  },
  EDIT_NO_MATCH: {
    kind: 'precondition',
    advice: ({ path }) =>
      `old_text is not in ${path}. Read the file and copy the text exactly, but without the line numbers.`,
  },
  EDIT_AMBIGUOUS: {
    kind: 'precondition',
    advice: ({ path, count }) =>
      `old_text is in ${path} ${count} times. Add lines around it until it is unique, or set replace_all.`,
  },
  FILE_TOO_LARGE: {
    kind: 'exhausted',
    advice: ({ path, limit_bytes: limit }) => `${path} would be over the limit of ${limit} bytes. Use smaller files.`,
  },
  DIRECTORY_NOT_EMPTY: {
    kind: 'precondition',
    advice: ({ path }) => `${path} is not empty. Set recursive to delete it with all that is in it.`,
  },
  CROSS_DISK: {
    kind: 'precondition',
    advice: () => 'That is on another disk. Read the file, write it there, and delete the old one.',
  },
  PATTERN_INVALID: { kind: 'invalid', advice: ({ why }) => `The pattern can not be used: ${why}. Correct it.` },
  DISK_UNAVAILABLE: {
    kind: 'unavailable',
    advice: () => 'The files could not be reached. The call itself is fine: it may be tried again in a moment.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    kind: 'exists',
    advice: () => 'This call was executed before, and what it did is done. Look at the result before going on.',
  },
  DISK_AUTH_REQUIRED: {
    kind: 'unauthenticated',
    advice: ({ path }) => `The user has to sign in again before ${path} can be used. Tell them so, or work without it.`,
  },
  FILE_ACCESS_DENIED: {
    kind: 'denied',
    advice: ({ path }) => `The user may not do that with ${path}. Use another path, or ask them.`,
  },
  DISK_UNSUPPORTED: { kind: 'unsupported', advice: ({ path }) => `The disk of ${path} can not do that.` },
} as const satisfies Record<string, FileFailure>;

export type FileErrorReason = keyof typeof fileFailures;

/**
 * A file operation failed. Facts as in the public catalogue (path, mount, why, count, …); `path` is the one that was asked
 * for. The model can act on all of them but VIEW_NOT_FOUND and DISK_UNSUPPORTED.
 */
export function fileError(reason: FileErrorReason, facts: ErrorFacts, cause?: unknown): DomainError {
  const { kind, advice }: FileFailure = fileFailures[reason];
  return new DomainError(kind, reason, advice(facts), { facts, cause });
}

/** A disk wants the user's token, and the user, who was asked for it, has not signed in. The model does without the disk. */
export function notSignedIn(refused: DomainError): DomainError {
  const { kind, reason, message, facts } = refused;
  return new DomainError(kind, reason, `The user has not signed in. ${message}`, { facts, cause: refused });
}

/** The same failure in words for the model. `path` is what was asked for, in case the error does not tell. */
export function restateFileError(error: DomainError, path: string): DomainError {
  const facts = { path, ...error.facts };
  if (isFileErrorReason(error.reason)) {
    return fileError(error.reason, facts, error);
  }
  return error.kind === 'unavailable' ? fileError('DISK_UNAVAILABLE', facts, error) : error;
}

/** True for a DomainError with one of these reasons. */
export function hasReason(error: unknown, ...reasons: readonly FileErrorReason[]): error is DomainError {
  return error instanceof DomainError && reasons.some((reason) => reason === error.reason);
}

function isFileErrorReason(reason: string): reason is FileErrorReason {
  return Object.hasOwn(fileFailures, reason);
}
