/** One line of the effects file: something that a tool did to the world. */
export interface EffectLine {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The tool. */
  readonly kind: string;
  readonly session: string;
  readonly run: string;
  readonly call: string;
  /** The idempotency key that the tool was given. */
  readonly key: string;
  readonly phase: 'begin' | 'tick' | 'end';
  /** The process that did it. */
  readonly pid: number;
}

/** Reads an effects file. A line that was cut by a kill in the middle of a write is left out. */
export function parseEffects(text: string): readonly EffectLine[] {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as EffectLine];
    } catch {
      return [];
    }
  });
}
