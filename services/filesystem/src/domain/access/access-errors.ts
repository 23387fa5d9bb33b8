import { excerpt } from '@spanwise/kernel';
import { FileError } from '../disk/file-errors.ts';
import type { VirtualPath } from '../path/virtual-path.ts';
import type { Operation } from './operation.ts';

/** The configuration does not let the user do this here. The caller takes another path, or asks the operator. */
export function notGranted(path: VirtualPath, operation: Operation): FileError {
  return new FileError(
    {
      kind: 'denied',
      reason: 'NOT_GRANTED',
      message: (text) => `Not granted: ${operation} ${text}.`,
      facts: { operation },
    },
    path,
  );
}

/**
 * The path is protected by `pattern` of the configuration, or is a directory with something protected in it. The caller
 * leaves it as it is.
 */
export function pathProtected(path: VirtualPath, pattern: string): FileError {
  return new FileError(
    {
      kind: 'denied',
      reason: 'PATH_PROTECTED',
      message: (text) => `Protected by ${excerpt(pattern)}, can not be changed: ${text}.`,
      facts: { pattern },
    },
    path,
  );
}
