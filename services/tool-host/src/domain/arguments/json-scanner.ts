import type { JsonPath } from '@spanwise/tool-kit/contract';

/** Why a text is not JSON that we take, and where. */
export interface JsonFault {
  /** `cut`: what is there is fine, but it ends too early. */
  readonly kind: 'syntax' | 'cut' | 'too-deep';
  /** UTF-16 code units from the start. */
  readonly position: number;
  readonly problem: string;
}

/** Objects and arrays within each other. */
export const maxJsonDepth = 32;

const scalar = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;
const scalarLike = /[-+.\w]*/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/**
 * Finds the first fault of a JSON text; undefined when JSON.parse takes it and it is no deeper than {@link maxJsonDepth}.
 * JSON.parse itself tells no position for many faults, and never whether the text was cut.
 */
export function findJsonFault(text: string): JsonFault | undefined {
  return new JsonScanner(text, () => undefined).scan();
}

/** Where in a faultless JSON text the member at `path` begins; its nearest parent when there is no such member. */
export function locateJson(text: string, path: JsonPath): number {
  let position = Math.max(0, text.search(/[^ \t\r\n]/));
  let matched = 0;
  let found = 0;
  new JsonScanner(text, (depth, key, start) => {
    // A member at this depth ends whatever was matched at this depth or below.
    matched = Math.min(matched, depth - 1);
    if (matched === depth - 1 && key === path[depth - 1]) {
      matched = depth;
      if (depth >= found) {
        found = depth;
        position = start;
      }
    }
  }).scan();
  return position;
}

/** Told of each member of an object or array: how deep it lies (from 1), its key or index, and where it begins. */
type OnMember = (depth: number, key: string | number, position: number) => void;

class JsonScanner {
  readonly #text: string;
  readonly #onMember: OnMember;
  #at = 0;

  constructor(text: string, onMember: OnMember) {
    this.#text = text;
    this.#onMember = onMember;
  }

  scan(): JsonFault | undefined {
    const fault = this.#value(0);
    if (fault !== undefined) {
      return fault;
    }
    return this.#peek() === '' ? undefined : this.#fault('the end was expected');
  }

  #value(depth: number): JsonFault | undefined {
    const first = this.#peek();
    if (first === '"') {
      return this.#string();
    }
    if (first !== '{' && first !== '[') {
      return this.#scalar(depth);
    }
    if (depth === maxJsonDepth) {
      return this.#fault(`more than ${maxJsonDepth} objects and arrays are nested`, 'too-deep');
    }
    return first === '{' ? this.#members(depth + 1, '}') : this.#members(depth + 1, ']');
  }

  /** From an opening bracket to its closing one. */
  #members(depth: number, close: '}' | ']'): JsonFault | undefined {
    this.#at += 1;
    if (this.#peek() === close) {
      this.#at += 1;
      return undefined;
    }
    const keys = new Set<string>();
    for (let index = 0; ; index += 1) {
      const fault = close === '}' ? this.#property(depth, keys) : this.#element(depth, index);
      if (fault !== undefined) {
        return fault;
      }
      const next = this.#peek();
      if (next !== ',' && next !== close) {
        return this.#fault(`"," or "${close}" was expected`);
      }
      this.#at += 1;
      if (next === close) {
        return undefined;
      }
    }
  }

  #element(depth: number, index: number): JsonFault | undefined {
    this.#peek();
    this.#onMember(depth, index, this.#at);
    return this.#value(depth);
  }

  /** The last of two keys that are the same would count, and whoever reads the text sees the first. */
  #property(depth: number, keys: Set<string>): JsonFault | undefined {
    if (this.#peek() !== '"') {
      return this.#fault('a key in double quotes was expected');
    }
    const start = this.#at;
    const fault = this.#string();
    if (fault !== undefined) {
      return fault;
    }
    const key = JSON.parse(this.#text.slice(start, this.#at)) as string;
    if (keys.has(key)) {
      this.#at = start;
      return this.#fault('the key is there twice');
    }
    keys.add(key);
    this.#onMember(depth, key, start);
    if (this.#peek() !== ':') {
      return this.#fault('":" was expected');
    }
    this.#at += 1;
    return this.#value(depth);
  }

  #string(): JsonFault | undefined {
    for (this.#at += 1; this.#at < this.#text.length; this.#at += 1) {
      const char = this.#text.charCodeAt(this.#at);
      if (char === 0x22) {
        this.#at += 1;
        return undefined;
      }
      if (char < 0x20) {
        return this.#fault('a control character in a string must be escaped');
      }
      if (char === 0x5c) {
        escape.lastIndex = this.#at;
        const length = escape.exec(this.#text)?.[0].length;
        if (length === undefined) {
          const isCut = /^\\(?:u[0-9a-fA-F]{0,3})?$/.test(this.#text.slice(this.#at, this.#at + 6));
          return this.#fault('it is no escape sequence', isCut ? 'cut' : 'syntax');
        }
        this.#at += length - 1;
      }
    }
    return this.#fault('a string is not closed');
  }

  #scalar(depth: number): JsonFault | undefined {
    scalarLike.lastIndex = this.#at;
    const token = scalarLike.exec(this.#text)?.[0] ?? '';
    if (token !== '' && this.#at + token.length === this.#text.length && depth > 0) {
      this.#at = this.#text.length;
      return this.#fault('the value may go on');
    }
    if (!scalar.test(token)) {
      return this.#fault('a value was expected');
    }
    this.#at += token.length;
    return undefined;
  }

  /** The next character that is not white space; empty at the end. */
  #peek(): string {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? '.')) {
      this.#at += 1;
    }
    return this.#text[this.#at] ?? '';
  }

  #fault(problem: string, kind?: JsonFault['kind']): JsonFault {
    const isAtEnd = this.#at >= this.#text.length;
    return { kind: kind ?? (isAtEnd ? 'cut' : 'syntax'), position: this.#at, problem };
  }
}
