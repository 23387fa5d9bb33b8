import { pathUnusable } from '../../../domain/disk/file-errors.ts';
import type { VirtualPath } from '../../../domain/path/virtual-path.ts';

/** Where the files of a disk are: a base URL, below which everything stays that a path can say. */
export class RestAddress {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path of the base URL without a slash at its end; empty when it is the whole server. */
  readonly #base: string;

  /** Takes what {@link flawOfBaseUrl} finds nothing wrong with. */
  constructor(baseUrl: string) {
    const { origin, pathname } = new URL(baseUrl);
    this.origin = origin;
    this.#base = pathname.replace(/\/+$/, '');
  }

  /** What is at a path, whatever it is. The root is only known as a directory. */
  entry(path: VirtualPath): string {
    return path.isRoot ? this.directory(path) : this.#below(path, '');
  }

  /** The directory at a path: with a slash at its end. */
  directory(path: VirtualPath): string {
    return this.#below(path, path.isRoot ? '' : '/');
  }

  /**
   * Every segment is encoded, and the result read again as servers read it: should it then be something else, or lie
   * elsewhere, it is not asked for.
   */
  #below(path: VirtualPath, end: string): string {
    const target = `${this.#base}/${path.segments.map(encodeURIComponent).join('/')}${end}`;
    const { origin, pathname } = new URL(this.origin + target);
    if (origin !== this.origin || pathname !== target) {
      throw pathUnusable(path, 'it does not stay below the base URL of its disk');
    }
    return target;
  }
}

/** Why a text can not be the base URL of a disk; undefined when it can. */
export function flawOfBaseUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return 'must be an http or https URL';
  }
  if (url.username !== '' || url.password !== '') {
    return 'must not hold a user or password';
  }
  return /[?#]/.test(text) ? 'must not hold a query or fragment' : undefined;
}
