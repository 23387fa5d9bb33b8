import type { VirtualPath } from '../path/virtual-path.ts';
import { pathProtected } from './access-errors.ts';
import type { PathPattern } from './path-pattern.ts';
import { type PathSpellings, spellingsOf } from './path-spellings.ts';

/** A pattern of the configuration. */
export interface ProtectedName {
  readonly pattern: PathPattern;
  /** `view`: a pattern over paths of views. `mounts`: over what follows the path of a mount, whichever it is. */
  readonly from: 'view' | 'mounts' | VirtualPath;
}

/**
 * Names that nobody can change, whatever grants say: neither what a pattern matches nor anything below it. Other spellings
 * of a name that a disk may take for the same are protected with it.
 */
export class ProtectedNames {
  /** Nothing is protected. */
  static readonly none = new ProtectedNames([]);

  readonly #names: readonly ProtectedName[];

  constructor(names: readonly ProtectedName[]) {
    this.#names = names;
  }

  /**
   * For a change of one file, or a directory that is made. `mount` is the path of the mount that covers `path`.
   * Throws PATH_PROTECTED with the pattern. A move has two such paths.
   */
  assertMayChange(path: VirtualPath, mount: VirtualPath): void {
    const name = this.#find(path, mount, (pattern, spellings) => pattern.covers(spellings));
    if (name !== undefined) {
      throw pathProtected(path, name.pattern.text);
    }
  }

  /**
   * For a change that takes a whole directory away or puts one there: to delete it recursively, to move it (both paths) or
   * to replace it. Throws PATH_PROTECTED also when something below might be protected: by the patterns alone, whatever is
   * there, so that a pattern for `.env` at any depth refuses it for every directory. Who does not want that asks
   * {@link ProtectedNames.mayHoldProtected}, walks the directory, and asks {@link ProtectedNames.assertMayChange} for each
   * path (of a move: for where it was and for where it comes to be), the directory included.
   */
  assertMayReplace(path: VirtualPath, mount: VirtualPath): void {
    const name = this.#findWithin(path, mount);
    if (name !== undefined) {
      throw pathProtected(path, name.pattern.text);
    }
  }

  /** True where {@link ProtectedNames.assertMayReplace} throws; when false, nothing below has to be looked at. */
  mayHoldProtected(path: VirtualPath, mount: VirtualPath): boolean {
    return this.#findWithin(path, mount) !== undefined;
  }

  #findWithin(path: VirtualPath, mount: VirtualPath): ProtectedName | undefined {
    return this.#find(path, mount, (pattern, spellings) => pattern.mayCoverWithin(spellings));
  }

  #find(
    path: VirtualPath,
    mount: VirtualPath,
    isHit: (pattern: PathPattern, path: PathSpellings) => boolean,
  ): ProtectedName | undefined {
    if (this.#names.length === 0) {
      return undefined;
    }
    const inView = spellingsOf(path.segments);
    const inMount = spellingsOf(path.relativeTo(mount).segments);
    return this.#names.find(({ pattern, from }) => {
      if (from === 'view') {
        return isHit(pattern, inView);
      }
      return (from === 'mounts' || from.equals(mount)) && isHit(pattern, inMount);
    });
  }
}
