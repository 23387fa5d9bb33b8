import type { VirtualPath } from '../path/virtual-path.ts';
import { FileError } from './file-errors.ts';

/** The file has no such version, or not any more. The caller lists those that there are. */
export function versionNotFound(path: VirtualPath): FileError {
  return new FileError(
    { kind: 'not-found', reason: 'VERSION_NOT_FOUND', message: (text) => `Not a version that is kept of ${text}.` },
    path,
  );
}
