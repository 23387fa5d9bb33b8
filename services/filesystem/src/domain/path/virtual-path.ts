import { pathInvalid } from './path-errors.ts';

/** Bytes of a whole path at most, in UTF-8. */
export const maxPathBytes = 4096;
/** Bytes of one segment at most, in UTF-8; what common file systems allow. */
export const maxSegmentBytes = 255;
/** Segments at most. */
export const maxSegments = 64;

/**
 * Absolute, normalised path: the only kind that crosses a port. Two paths are the same file exactly when their texts are
 * the same. Percent signs are literal and letters are told apart by case.
 */
export class VirtualPath {
  static readonly root = new VirtualPath([]);

  readonly segments: readonly string[];
  /** `/` for the root, else `/a/b` without a slash at the end. */
  readonly text: string;

  private constructor(segments: readonly string[]) {
    this.segments = segments;
    this.text = `/${segments.join('/')}`;
  }

  /**
   * Reads the path that a caller wrote: normalised to NFC, `.` and empty segments dropped. Throws PATH_INVALID when it is
   * no absolute path of well-formed Unicode, too long, or has a segment that {@link flawOfSegment} refuses.
   */
  static parse(text: string): VirtualPath {
    const flaw = flawOfText(text);
    if (flaw !== undefined) {
      throw pathInvalid(text, flaw);
    }
    const segments = text
      .normalize('NFC')
      .split('/')
      .filter((segment) => segment !== '' && segment !== '.');
    if (segments[0] !== undefined && !isFirstSegment(segments[0])) {
      throw pathInvalid(text, segments[0].startsWith('~') ? 'starts with ~' : 'starts with a drive');
    }
    return VirtualPath.#of(segments, text);
  }

  get isRoot(): boolean {
    return this.segments.length === 0;
  }

  /** The last segment; empty for the root. */
  get name(): string {
    return this.segments.at(-1) ?? '';
  }

  /** The directory that holds it; the root is its own parent. */
  get parent(): VirtualPath {
    return this.isRoot ? this : new VirtualPath(this.segments.slice(0, -1));
  }

  /** An entry of this directory. Throws PATH_INVALID where {@link VirtualPath.entry} answers nothing. */
  child(name: string): VirtualPath {
    return this.entry(name) ?? VirtualPath.#of([...this.segments, name], `${this.text}/${name}`);
  }

  /** The path of a name that a disk tells; undefined when none leads to it: too long, too deep, or not normalised. */
  entry(name: string): VirtualPath | undefined {
    if (!isSegment(name) || this.segments.length === maxSegments) {
      return undefined;
    }
    const path = new VirtualPath([...this.segments, name]);
    return byteLength(path.text) > maxPathBytes ? undefined : path;
  }

  /** This path below another one. Throws PATH_INVALID when the result is too long. */
  below(base: VirtualPath): VirtualPath {
    return VirtualPath.#of([...base.segments, ...this.segments], this.text);
  }

  /** True for the path itself and for all below it, by whole segments: `/work-evil` is not within `/work`. */
  isWithin(base: VirtualPath): boolean {
    return (
      this.segments.length >= base.segments.length &&
      base.segments.every((segment, index) => segment === this.segments[index])
    );
  }

  /** What follows `base`, as a path of its own. Only for a path that is within `base`. */
  relativeTo(base: VirtualPath): VirtualPath {
    return new VirtualPath(this.segments.slice(base.segments.length));
  }

  equals(other: VirtualPath): boolean {
    return this.text === other.text;
  }

  toString(): string {
    return this.text;
  }

  static #of(segments: readonly string[], asked: string): VirtualPath {
    const flaw =
      segments.length > maxSegments
        ? `more than ${maxSegments} segments`
        : segments.map(flawOfSegment).find((each) => each !== undefined);
    if (flaw !== undefined) {
      throw pathInvalid(asked, flaw);
    }
    const path = new VirtualPath(segments);
    if (byteLength(path.text) > maxPathBytes) {
      throw pathInvalid(asked, `longer than ${maxPathBytes} bytes`);
    }
    return path;
  }
}

/** True when a name can be a segment of a path as it is. */
export function isSegment(name: string): boolean {
  return (
    name !== '' &&
    name !== '.' &&
    !name.includes('/') &&
    name.isWellFormed() &&
    name === name.normalize('NFC') &&
    flawOfSegment(name) === undefined
  );
}

/** True when a segment can be the first one of a path that a caller writes: not `~…`, not a drive. */
export function isFirstSegment(segment: string): boolean {
  return !segment.startsWith('~') && !/^[a-z]:$/i.test(segment);
}

function flawOfText(text: string): string | undefined {
  if (text === '') {
    return 'empty';
  }
  if (byteLength(text) > maxPathBytes) {
    return `longer than ${maxPathBytes} bytes`;
  }
  if (!text.isWellFormed()) {
    return 'not well-formed Unicode';
  }
  if (/^\/?[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    return 'a URL, not a path';
  }
  if (/^[a-z]:(?:[/\\]|$)/i.test(text)) {
    return 'starts with a drive';
  }
  return text.startsWith('/') ? undefined : 'not absolute: it has to start with /';
}

/** Why a segment can not be one: `..`, control and bidi characters, backslash, spaces at its edges, too long. */
function flawOfSegment(segment: string): string | undefined {
  if (segment === '..') {
    return 'has a .. segment';
  }
  // Line and paragraph separators break line-oriented output just as control characters do.
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(segment)) {
    return 'has a control character';
  }
  if (/\p{Bidi_Control}/u.test(segment)) {
    return 'has a bidirectional control character';
  }
  if (segment.includes('\\')) {
    return 'has a backslash';
  }
  if (segment.trim() !== segment) {
    return 'has a segment with a space at its edge';
  }
  return byteLength(segment) > maxSegmentBytes ? `has a segment longer than ${maxSegmentBytes} bytes` : undefined;
}

const encoder = new TextEncoder();

function byteLength(text: string): number {
  // A UTF-16 unit is at least one byte, so that hopeless text is not encoded first.
  return text.length > maxPathBytes ? text.length : encoder.encode(text).length;
}
