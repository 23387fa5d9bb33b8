import { DomainError } from '@spanwise/kernel';

/** The store of blobs does not answer, or is full. The operator looks at `cause` in the log. */
export function blobStoreUnavailable(cause: unknown): DomainError {
  return unavailable('The store of blobs could not be reached: try again.', cause);
}

/** Content lies outside of the database, and the configuration names no store. The operator configures the store again. */
export function blobStoreNotConfigured(): DomainError {
  return unavailable('This content lies in a store of blobs, and none is configured.');
}

/** The store of blobs has not what the database says. The operator configures the store that has it, or restores it. */
export function blobMissing(hash: string): DomainError {
  return unavailable(`The content ${hash} is not in the store of blobs.`);
}

function unavailable(message: string, cause?: unknown): DomainError {
  return new DomainError('unavailable', 'DISK_UNAVAILABLE', message, { facts: { disk: 'blobs' }, cause });
}
