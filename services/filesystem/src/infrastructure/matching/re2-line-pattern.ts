import { RE2JS } from 're2js';
import type { LinePattern, LinePatternOptions } from '../../application/ports/line-pattern.ts';
import { patternInvalid } from '../../domain/search/pattern-errors.ts';
import { expandedSize } from './expanded-size.ts';

/** Instructions of a program at most. Above it, compiling alone takes seconds for some patterns of 1,024 bytes. */
const maxProgramSize = 2000;
/** Characters times instructions that are matched within a few milliseconds in the worst case: 0.1 µs each. */
const cheapWork = 50_000;
/** How long one line may hold up everybody else. */
const budgetMs = 10;
/** How much longer each piece of a long line is than the one before. */
const growth = 4;

/** RE2 in JavaScript: linear in the line, whatever the pattern. Its speed still differs a thousandfold. */
export function compileRe2LinePattern(pattern: string, { ignoreCase }: LinePatternOptions): LinePattern {
  if (expandedSize(pattern) > maxProgramSize) {
    throw patternInvalid(pattern, 'its repetitions make it too large');
  }
  const compiled = compile(pattern, ignoreCase);
  const cheapLength = Math.ceil(cheapWork / compiled.programSize());
  return {
    test: (line) =>
      line.length <= cheapLength || isQuick(compiled, line, cheapLength) ? compiled.test(line) : undefined,
  };
}

function compile(pattern: string, ignoreCase: boolean): RE2JS {
  try {
    return RE2JS.compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'it can not be parsed';
    throw patternInvalid(pattern, why, error);
  }
}

/** Tries ever longer pieces of a line: a search can not be interrupted, but what it will take can be foreseen. */
function isQuick(compiled: RE2JS, line: string, cheapLength: number): boolean {
  let length = cheapLength;
  let wasSlow = false;
  for (let start = 0; start + length < line.length; start += length) {
    const isSlow = takesMs(compiled, line.slice(start, start + length)) * growth > budgetMs;
    // Once may be for compiling and for automaton states that are kept.
    if (isSlow && wasSlow) {
      return false;
    }
    wasSlow = isSlow;
    length *= isSlow ? 1 : growth;
  }
  return true;
}

function takesMs(compiled: RE2JS, text: string): number {
  const startMs = performance.now();
  compiled.test(text);
  return performance.now() - startMs;
}
