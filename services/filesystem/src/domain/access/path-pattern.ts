import { maxSegments } from '../path/virtual-path.ts';
import { patternInvalid } from '../search/pattern-errors.ts';
import { foldName, type PathSpellings, type Segments } from './path-spellings.ts';

/** A compiled glob. */
export interface NameMatcher {
  /** Takes time linear in the text. */
  matches(text: string): boolean;
}

/** Compiles a glob for one segment. Throws PATTERN_INVALID. */
export type CompileGlob = (glob: string) => NameMatcher;

/** One segment of a pattern; `any` stands for any number of segments, also none. */
type Part = NameMatcher | 'any';

/** How a pattern relates to a path: it covers the path, may cover something below it, or neither. */
type Reach = 'covers' | 'below' | 'none';

/**
 * A glob over paths: `*`, `?`, `[…]`, `{a,b}` inside of a segment, and `**` for any number of segments. It **covers** what
 * it matches and everything below that, so that `/a` and `/a/**` mean the same: the directory and all that is in it.
 */
export class PathPattern {
  /** As it is written in the configuration. */
  readonly text: string;
  readonly #exact: readonly Part[];
  readonly #folded: readonly Part[];

  private constructor(text: string, exact: readonly Part[], folded: readonly Part[]) {
    this.text = text;
    this.#exact = exact;
    this.#folded = folded;
  }

  /**
   * Reads a glob; a `/` at its start is left out, and `/` alone covers everything. Throws PATTERN_INVALID, also for `**`
   * beside other characters of a segment and for alternatives with a `/` in them, which would be read as less than is meant.
   */
  static parse(text: string, compile: CompileGlob): PathPattern {
    const glob = text.replace(/^\//u, '').normalize('NFC');
    const flaw = flawOf(text);
    if (flaw !== undefined) {
      throw patternInvalid(text, flaw);
    }
    return new PathPattern(text, partsOf(glob, compile), partsOf(foldGlob(glob), compile));
  }

  /** True when it covers the path exactly as it is written: what opens a path has to be exact. */
  coversExactly({ exact }: PathSpellings): boolean {
    return reach(this.#exact, exact) === 'covers';
  }

  /** True when it covers the path under one of its spellings: what closes a path can not be spelled around. */
  covers(path: PathSpellings): boolean {
    return this.#reaches(path).includes('covers');
  }

  /** True when it covers the path, or something that may be below it, under one of the path's spellings. */
  mayCoverWithin(path: PathSpellings): boolean {
    return this.#reaches(path).some((each) => each !== 'none');
  }

  #reaches({ exact, folded }: PathSpellings): Reach[] {
    return [reach(this.#exact, exact), ...folded.map((segments) => reach(this.#folded, segments))];
  }
}

function flawOf(text: string): string | undefined {
  if (text === '') {
    return 'it is empty';
  }
  if (!text.isWellFormed()) {
    return 'it is not well-formed Unicode';
  }
  // Folding drops them: what is left could be empty, or a `**` that nobody wrote.
  return /\p{Default_Ignorable_Code_Point}/u.test(text.normalize('NFKC'))
    ? 'it has an invisible character: use * in its place'
    : undefined;
}

/** Folds a glob. A look-alike of a character with a meaning, such as a full-width `*`, still stands for itself. */
function foldGlob(glob: string): string {
  const literal = glob.replaceAll(/[^\p{ASCII}]/gu, (character) => {
    const plain = character.normalize('NFKC');
    return /[*?[\]{},!^\\-]/u.test(plain) ? plain.replaceAll(/[*?[\]{},!^\\-]/gu, '\\$&') : character;
  });
  return foldName(literal);
}

function partsOf(glob: string, compile: CompileGlob): Part[] {
  const segments = glob === '' ? [] : glob.split('/');
  while (segments.at(-1) === '**') {
    segments.pop();
  }
  if (segments.length > maxSegments) {
    throw patternInvalid(glob, `it has more than ${maxSegments} segments`);
  }
  return segments.map((segment) => {
    if (segment !== '**' && segment.includes('**')) {
      throw patternInvalid(glob, '** stands for whole segments: use * inside of one');
    }
    return segment === '**' ? 'any' : compile(segment);
  });
}

/** Walks down the path with the set of places in the pattern where one may be. */
function reach(parts: readonly Part[], segments: Segments): Reach {
  let places = withSkipped(parts, new Set([0]));
  for (const segment of segments) {
    if (places.has(parts.length)) {
      return 'covers';
    }
    const next = new Set<number>();
    for (const place of places) {
      const part = parts[place];
      if (part === 'any') {
        next.add(place);
      } else if (part?.matches(segment) === true) {
        next.add(place + 1);
      }
    }
    places = withSkipped(parts, next);
  }
  return places.has(parts.length) ? 'covers' : places.size > 0 ? 'below' : 'none';
}

/** Adds the places behind each `any`, which may stand for nothing. A set shows what is added while it is walked. */
function withSkipped(parts: readonly Part[], places: Set<number>): Set<number> {
  for (const place of places) {
    if (parts[place] === 'any') {
      places.add(place + 1);
    }
  }
  return places;
}
