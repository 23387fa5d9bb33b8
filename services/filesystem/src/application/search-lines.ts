import type { Pacer } from './pacer.ts';
import type { LinePattern } from './ports/line-pattern.ts';

/** A line that matched, with the lines around it. */
export interface LineMatch {
  /** From 1. */
  readonly line: number;
  readonly text: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Characters of a line that are told. */
const maxLineCharacters = 2000;
/** Bytes that are decoded at once. */
const blockBytes = 64 * 1024;

/**
 * Matches of a text in the order of its lines; each comes when the lines after it are known. Answers false when a line
 * would have held up everybody else: the rest of the text was then not searched.
 */
export async function* searchLines(
  data: Uint8Array,
  pattern: LinePattern,
  contextLines: number,
  pacer: Pacer,
): AsyncGenerator<LineMatch, boolean> {
  const before: string[] = [];
  let open: { readonly match: LineMatch; readonly after: string[] }[] = [];
  let number = 0;
  for (const block of linesOf(data)) {
    for (const line of block) {
      number += 1;
      const text = cut(line);
      for (const { after } of open) {
        after.push(text);
      }
      const isMatch = pattern.test(line);
      if (isMatch === undefined) {
        return false;
      }
      if (isMatch) {
        const after: string[] = [];
        open.push({ match: { line: number, text, before: [...before], after }, after });
      }
      if (open.length > 0) {
        yield* open.filter(({ after }) => after.length === contextLines).map(({ match }) => match);
        open = open.filter(({ after }) => after.length < contextLines);
      }
      before.push(text);
      if (before.length > contextLines) {
        before.shift();
      }
      if (pacer.isDue()) {
        await pacer.pause();
      }
    }
    await pacer.pause();
  }
  yield* open.map(({ match }) => match);
  return true;
}

/** Lines without their ends, block by block. Bytes that are no UTF-8 become U+FFFD. */
function* linesOf(data: Uint8Array): Generator<string[]> {
  const decoder = new TextDecoder();
  let rest: string[] = [];
  for (let offset = 0; offset < data.length; offset += blockBytes) {
    const isLast = offset + blockBytes >= data.length;
    const text = decoder.decode(data.subarray(offset, offset + blockBytes), { stream: !isLast });
    const [first = '', ...others] = text.split('\n');
    rest.push(first);
    const last = others.pop();
    // A block without a line end yields nothing, but its reader has a turn.
    yield last === undefined ? [] : [rest.join(''), ...others].map(withoutReturn);
    rest = last === undefined ? rest : [last];
  }
  const end = rest.join('');
  if (end !== '') {
    yield [withoutReturn(end)];
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function cut(line: string): string {
  // Not within a pair of surrogates.
  return line.length > maxLineCharacters ? line.slice(0, maxLineCharacters).replace(/[\uD800-\uDBFF]$/, '') : line;
}
