import type { ToolLimits } from '@spanwise/tool-kit/contract';
import { clipBytes, clipEnd, utf8Length } from '../domain/text/bounded-text.ts';

/** What of a text is shown. */
export interface BoundedText {
  /** Its head, or both ends with a line between them that says so. */
  readonly shown: string;
  /** What is missing; undefined when it is whole. */
  readonly cut: TextCut | undefined;
}

export interface TextCut {
  readonly shownLines: number;
  readonly totalLines: number;
  /** UTF-8. */
  readonly shownBytes: number;
  readonly totalBytes: number;
}

type TextLimits = Pick<ToolLimits, 'outputLines' | 'outputBytes'>;

/** Keeps of a text what is within the limits: its head, or its two ends. */
export function boundText(text: string, limits: TextLimits, keeps: 'head' | 'ends'): BoundedText {
  const head = headWithin(text, limits);
  if (head.length === text.length) {
    return { shown: text, cut: undefined };
  }
  if (keeps === 'head') {
    return { shown: head, cut: cutOf(text, countLines(head), utf8Length(head)) };
  }
  const half = { outputLines: Math.ceil(limits.outputLines / 2), outputBytes: Math.floor(limits.outputBytes / 2) };
  const [begin, end] = [headWithin(text, half), tailWithin(text, half)];
  const cut = cutOf(text, countLines(begin) + countLines(end), utf8Length(begin) + utf8Length(end));
  const gap = `[… ${cut.totalBytes - cut.shownBytes} bytes are left out here …]`;
  return { shown: [begin.replace(/\n$/, ''), gap, end.replace(/^\n/, '')].join('\n'), cut };
}

function cutOf(text: string, shownLines: number, shownBytes: number): TextCut {
  return { shownLines, totalLines: countLines(text), shownBytes, totalBytes: utf8Length(text) };
}

function headWithin(text: string, { outputLines, outputBytes }: TextLimits): string {
  let end = -1;
  for (let lines = 0; lines < outputLines; lines += 1) {
    end = text.indexOf('\n', end + 1);
    if (end === -1) {
      return clipBytes(text, outputBytes);
    }
  }
  // The line end that a text closes with begins no further line.
  return clipBytes(end === text.length - 1 ? text : text.slice(0, end), outputBytes);
}

function tailWithin(text: string, { outputLines, outputBytes }: TextLimits): string {
  let begin = text.endsWith('\n') ? text.length - 1 : text.length;
  for (let lines = 0; lines < outputLines && begin > 0; lines += 1) {
    begin = text.lastIndexOf('\n', begin - 1);
  }
  return clipEnd(text.slice(begin + 1), outputBytes);
}

function countLines(text: string): number {
  let lines = text === '' || text.endsWith('\n') ? 0 : 1;
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) {
    lines += 1;
  }
  return lines;
}
