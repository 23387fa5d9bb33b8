import { pathUnusable } from '../../../domain/disk/file-errors.ts';
import { isSegment, VirtualPath } from '../../../domain/path/virtual-path.ts';

/** What S3, Google and Azure allow, in bytes. */
const maxKeyBytes = 1024;
/** What the disk writes to find out what its store can do. */
const probeName = /^\.spanwise-[0-9a-f]{32}\.probe$/;

/** A key of the store, and the path of the disk that failures name. */
export interface ObjectAddress {
  readonly key: string;
  readonly path: VirtualPath;
}

/** True when a path leads to a name. */
export function isReachable(name: string): boolean {
  return isSegment(name) && !probeName.test(name);
}

/** The keys of a disk: every one begins with the path of its root, and none has a segment that a path could not have. */
export class ObjectKeys {
  readonly #root: VirtualPath;

  constructor(root: VirtualPath) {
    this.#root = root;
  }

  /** The key of a file. Throws PATH_INVALID for one that is too long or that the disk keeps for itself. */
  file(path: VirtualPath): ObjectAddress {
    if (!path.segments.every(isReachable)) {
      throw pathUnusable(path, 'the disk keeps it for itself');
    }
    const key = [...this.#root.segments, ...path.segments].join('/');
    // A directory needs one more byte.
    if (Buffer.byteLength(key) >= maxKeyBytes) {
      throw pathUnusable(path, `its key would be longer than ${maxKeyBytes - 1} bytes`);
    }
    return { key, path };
  }

  /** What the keys of all in a directory begin with; also the key of its marker. Empty for the root of a whole store. */
  directory(path: VirtualPath): ObjectAddress {
    const { key } = this.file(path);
    return { key: key === '' ? '' : `${key}/`, path };
  }

  /** The key of a probe; `id` is random, 32 hex digits. */
  probe(id: string): ObjectAddress {
    return { key: [...this.#root.segments, `.spanwise-${id}.probe`].join('/'), path: VirtualPath.root };
  }
}
