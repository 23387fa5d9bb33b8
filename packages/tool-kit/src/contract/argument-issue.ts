/** Keys and indexes that lead to a value; empty for the whole. */
export type JsonPath = readonly (string | number)[];

/** One thing that is wrong with the arguments of a call. */
export interface ArgumentIssue {
  readonly path: JsonPath;
  /** `unknown-key`: the path leads to a key that the schema does not have. */
  readonly kind: 'unknown-key' | 'bad-value';
  /** For the model: what is wrong and what would be right. */
  readonly problem: string;
}

/** A path as people write it: `edits[0].old_text`; empty for the whole. */
export function formatPath(path: JsonPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') {
      return `${text}[${key}]`;
    }
    if (!/^[\w-]{1,64}$/.test(key)) {
      return `${text}[${JSON.stringify(key.slice(0, 64))}]`;
    }
    return text === '' ? key : `${text}.${key}`;
  }, '');
}
