/** A line of a file and how it ends: `\n`, `\r\n`, or empty for a last line without an end. */
export interface TextLine {
  readonly text: string;
  readonly end: string;
}

/** Splits a text into its lines. A line end at its end begins no further line. */
export function splitLines(text: string): readonly TextLine[] {
  const lines: TextLine[] = [];
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    if (newline === -1) {
      lines.push({ text: text.slice(start), end: '' });
      break;
    }
    const isWindows = newline > start && text.charAt(newline - 1) === '\r';
    lines.push({ text: text.slice(start, isWindows ? newline - 1 : newline), end: isWindows ? '\r\n' : '\n' });
    start = newline + 1;
  }
  return lines;
}

/**
 * Puts lines together. An empty `end` is filled in with `usualEnd`, but at the last line, which gets one only if
 * `hasFinalEnd`.
 */
export function joinLines(lines: readonly TextLine[], usualEnd: string, hasFinalEnd: boolean): string {
  const last = lines.length - 1;
  return lines
    .map(({ text, end }, index) => text + (index === last && !hasFinalEnd ? '' : end === '' ? usualEnd : end))
    .join('');
}
