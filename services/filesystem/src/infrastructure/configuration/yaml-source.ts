import { type Document, isCollection, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type { ZodType } from 'zod';
import { configurationInvalid } from './configuration-errors.ts';

/** Keys and indexes that lead to a value. */
export type YamlPath = readonly (string | number)[];

/** A YAML text whose values know their lines. */
export class YamlSource {
  readonly #name: string;
  readonly #lines = new LineCounter();
  readonly #document: Document;

  /** `name` is how the file is called in errors. Throws for text that is no YAML, also for a key that comes twice. */
  constructor(name: string, text: string) {
    this.#name = name;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    const [error] = this.#document.errors;
    if (error !== undefined) {
      throw configurationInvalid(this.#whereIs(error.pos[0]), firstLine(error.message), error);
    }
  }

  /** The value at a path, checked. The first rule that it breaks is thrown with its line. */
  read<Value>(path: YamlPath, schema: ZodType<Value>): Value {
    const node: unknown = this.#document.getIn(path, true);
    const result = schema.safeParse(isNode(node) ? node.toJS(this.#document) : node);
    if (result.success) {
      return result.data;
    }
    const [issue] = result.error.issues;
    const unknownKey = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    const at = [...path, ...(issue?.path ?? []), ...unknownKey].filter((key) => typeof key !== 'symbol');
    throw this.invalid(at, `${at.join('.')}: ${issue?.message ?? 'not valid'}`);
  }

  /** An error at the line of a value, or of the closest one around it that is there. */
  invalid(path: YamlPath, what: string, cause?: unknown) {
    return configurationInvalid(this.#whereIs(this.#offsetOf(path)), what, cause);
  }

  #offsetOf(path: YamlPath): number {
    for (let length = path.length; length > 0; length -= 1) {
      const parent: unknown = this.#document.getIn(path.slice(0, length - 1), true);
      const key = path[length - 1];
      const pair = isCollection(parent)
        ? parent.items.find((item, index) =>
            isPair(item) ? isScalar(item.key) && item.key.value === key : index === key,
          )
        : undefined;
      const node = isPair(pair) ? pair.key : pair;
      if (isNode(node) && node.range) {
        return node.range[0];
      }
    }
    return 0;
  }

  #whereIs(offset: number): string {
    return `${this.#name}:${this.#lines.linePos(offset).line}`;
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.replace(/\.$/, '') ?? '';
}
