import { DomainError } from '@spanwise/kernel';

/**
 * The stream of an upload ended early, does not begin where the upload is, or another stream has gone on with it. The caller
 * goes on from `receivedBytes`.
 */
export function uploadIncomplete(receivedBytes: number): DomainError {
  return new DomainError(
    'precondition',
    'UPLOAD_INCOMPLETE',
    `The upload is not complete: go on from byte ${receivedBytes} in another stream.`,
    { facts: { received_bytes: receivedBytes } },
  );
}

/** Nothing is kept of the upload: it is written, too old, or was never begun. The caller begins with byte 0. */
export function uploadNotFound(): DomainError {
  return new DomainError('not-found', 'UPLOAD_NOT_FOUND', 'Nothing is kept of an upload with this id.');
}

/** What was received is not what was sent: its SHA-256 is `sha256`. The caller uploads it again under another id. */
export function checksumMismatch(sha256: string): DomainError {
  return new DomainError(
    'invalid',
    'CHECKSUM_MISMATCH',
    'What was received has another checksum: nothing was written.',
    {
      facts: { sha256 },
    },
  );
}

/** The session has `limit` open streams. The caller ends one. */
export function tooManyStreams(limit: number): DomainError {
  return new DomainError('exhausted', 'TOO_MANY_STREAMS', `The session has ${limit} open streams: end one.`, {
    facts: { limit },
  });
}
