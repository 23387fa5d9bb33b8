import { DomainError, excerpt } from '@spanwise/kernel';
import { FileError } from '../disk/file-errors.ts';
import type { VirtualPath } from '../path/virtual-path.ts';
import type { Mount } from './mount.ts';

/** No view has this id, or it is someone else's: which of them is not told. The caller opens the view of its own run. */
export function viewNotFound(): DomainError {
  return new DomainError('not-found', 'VIEW_NOT_FOUND', 'No such view: open it first.');
}

/** Nothing can be changed under the mount. The caller writes under another one. */
export function mountReadOnly(path: VirtualPath, mount: Mount): FileError {
  return new FileError(
    {
      kind: 'denied',
      reason: 'MOUNT_READ_ONLY',
      message: (text) => `Read-only: ${text}. Write under another mount than ${excerpt(mount.path.text)}.`,
      facts: { mount: mount.path.text },
    },
    path,
  );
}

/** The path is a mount or lies above one: it can not be deleted, moved or replaced. The caller changes what is in it. */
export function mountFixed(path: VirtualPath): FileError {
  return new FileError(
    {
      kind: 'denied',
      reason: 'MOUNT_READ_ONLY',
      message: (text) => `A mount can not be deleted or moved: ${text}.`,
      facts: { mount: path.text },
    },
    path,
  );
}

/** A move between two disks. The caller copies and deletes instead. */
export function crossDisk(path: VirtualPath): FileError {
  return new FileError(
    {
      kind: 'precondition',
      reason: 'CROSS_DISK',
      message: (text) => `${text} is on another disk: copy and delete instead of moving.`,
    },
    path,
  );
}
