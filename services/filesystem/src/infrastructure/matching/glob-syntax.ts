import { isSegment } from '../../domain/path/virtual-path.ts';
import { patternInvalid } from '../../domain/search/pattern-errors.ts';

export interface ParsedGlob {
  /** In RE2 syntax, for the whole of a relative path. */
  readonly expression: string;
  /** Leading segments without wildcards; not the last one. */
  readonly base: readonly string[];
  /** Segments of a match at most; Infinity with `**`. */
  readonly maxDepth: number;
}

/** Wildcards, classes and alternatives at most: each keeps states alive while a path is matched. */
const maxParts = 64;

/** Reads `*`, `?`, `[…]`, `[!…]`, nested `{a,b}`, `\` before a literal character, and `**` over whole segments. */
export function parseGlob(pattern: string): ParsedGlob {
  // Written as a path, it is meant from the directory that is searched.
  const text = pattern.normalize('NFC').replace(/^(?:\.?\/)+/, '');
  const segments = text.split('/');
  if (text === '' || segments.some((segment) => segment === '..' || segment === '.' || segment === '')) {
    throw patternInvalid(pattern, 'it has a segment that is empty, . or ..');
  }
  const parser = new GlobParser(pattern, text);
  const firstWild = segments.findIndex((segment) => /[*?[{\\]/.test(segment) || !isSegment(segment));
  return {
    expression: parser.parse(),
    base: segments.slice(0, firstWild === -1 ? -1 : firstWild),
    maxDepth: text.includes('**') ? Infinity : segments.length,
  };
}

class GlobParser {
  readonly #pattern: string;
  readonly #text: string;
  #at = 0;
  #parts = 0;

  constructor(pattern: string, text: string) {
    this.#pattern = pattern;
    this.#text = text;
  }

  parse(): string {
    return this.#sequence(true, '');
  }

  /** Up to the end, or up to one of the characters in `ends`. `isStart`: a segment begins here. */
  #sequence(isStart: boolean, ends: string): string {
    let expression = '';
    let isSegmentStart = isStart;
    while (this.#at < this.#text.length && !ends.includes(this.#peek())) {
      const character = this.#take();
      switch (character) {
        case '*':
          expression += this.#star(isSegmentStart, ends);
          break;
        case '?':
          expression += this.#counted('[^/]');
          break;
        case '[':
          expression += this.#class();
          break;
        case '{':
          expression += this.#brace(isSegmentStart);
          break;
        case '\\':
          if (this.#at === this.#text.length) {
            throw this.#invalid('a \\ ends it');
          }
          expression += literal(this.#take());
          break;
        default:
          expression += literal(character);
      }
      isSegmentStart = this.#text[this.#at - 1] === '/';
    }
    return expression;
  }

  #star(isSegmentStart: boolean, ends: string): string {
    let stars = 1;
    while (this.#peek() === '*') {
      this.#at += 1;
      stars += 1;
    }
    const next = this.#peek();
    if (stars === 2 && isSegmentStart && next === '/') {
      this.#at += 1;
      return this.#counted('(?:[^/]+/)*');
    }
    if (stars === 2 && isSegmentStart && (next === '' || ends.includes(next))) {
      return this.#counted('[^/]+(?:/[^/]+)*');
    }
    return this.#counted('[^/]*');
  }

  #class(): string {
    const isNegated = this.#peek() === '!' || this.#peek() === '^';
    this.#at += isNegated ? 1 : 0;
    let members = '';
    // A bracket that comes first is a member.
    for (let isFirst = true; isFirst || this.#peek() !== ']'; isFirst = false) {
      const character = this.#take();
      if (character === '' || character === '/') {
        throw this.#invalid('a [ is not closed');
      }
      const isRange = character === '-' && !isFirst && this.#peek() !== ']';
      members += isRange ? '-' : literal(character === '\\' ? this.#take() : character);
    }
    this.#at += 1;
    return this.#counted(isNegated ? `[^/${members}]` : `[${members}]`);
  }

  /** `{a}` without a comma is meant literally. Throws when the brace is not closed. */
  #hasAlternatives(): boolean {
    let depth = 1;
    let hasComma = false;
    for (let at = this.#at; at < this.#text.length; at += 1) {
      const character = this.#text[at];
      at += character === '\\' ? 1 : 0;
      depth += character === '{' ? 1 : character === '}' ? -1 : 0;
      hasComma ||= character === ',' && depth === 1;
      if (depth === 0) {
        return hasComma;
      }
    }
    throw this.#invalid('a { is not closed');
  }

  #brace(isSegmentStart: boolean): string {
    if (!this.#hasAlternatives()) {
      const inside = this.#sequence(false, '}');
      return literal('{') + inside + literal(this.#take());
    }
    const alternatives: string[] = [];
    do {
      alternatives.push(this.#counted(this.#sequence(isSegmentStart, ',}')));
    } while (this.#take() === ',');
    return `(?:${alternatives.join('|')})`;
  }

  #counted(expression: string): string {
    this.#parts += 1;
    if (this.#parts > maxParts) {
      throw this.#invalid(`it has more than ${maxParts} wildcards and alternatives`);
    }
    return expression;
  }

  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  /** The next character, whole also beyond U+FFFF; empty at the end. */
  #take(): string {
    const code = this.#text.codePointAt(this.#at);
    const character = code === undefined ? '' : String.fromCodePoint(code);
    this.#at += character.length;
    return character;
  }

  #invalid(why: string) {
    return patternInvalid(this.#pattern, why);
  }
}

/** A character that stands for itself, outside and inside of a class. */
function literal(character: string): string {
  return /[\\^$.*+?()[\]{}|-]/.test(character) ? `\\${character}` : character;
}
