import { clipBytes, utf8Length } from '../domain/text/bounded-text.ts';
import type { ToolLimits, ToolOutput } from '../domain/tool/tool.ts';

/** What of a tool's output goes to the model and to programs. */
export interface BoundedOutput {
  /** Not empty, well-formed Unicode, without terminal control sequences. */
  readonly text: string;
  /** Empty when there is none. */
  readonly structuredJson: string;
}

/** Colours, cursor movements and titles of terminals: CSI, OSC and plain escape sequences of ECMA-48. */
const terminalSequences = new RegExp(
  [
    '\\u001b\\[[0-?]*[ -/]*[@-~]',
    // Only when it is closed within the line: else text that follows by chance would be lost.
    '\\u001b\\][^\\u0007\\u001b\\n]*(?:\\u0007|\\u001b\\\\)',
    '\\u001b[ -/]*[0-~]',
  ].join('|'),
  'gu',
);

/** Keeps the head of an output that is over the limits and says what is missing. The tool's own notice is always kept. */
export function boundOutput(output: ToolOutput, limits: ToolLimits): BoundedOutput {
  const whole = output.text.toWellFormed().replaceAll(terminalSequences, '');
  const head = headWithin(whole, limits);
  const cut = head.length < whole.length ? cutNotice(whole, head) : '';
  const text = [head, cut, output.notice ?? ''].filter((part) => part !== '').join('\n');
  return { text: text === '' ? '[No output.]' : text, structuredJson: structuredJsonOf(output, limits) };
}

function headWithin(text: string, { outputLines, outputBytes }: ToolLimits): string {
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

function cutNotice(whole: string, head: string): string {
  const shown = `${countLines(head)} of ${countLines(whole)} lines, ${utf8Length(head)} of ${utf8Length(whole)} bytes`;
  return `[Output cut: ${shown} are shown. Ask for less, or for a narrower part.]`;
}

function countLines(text: string): number {
  let lines = text === '' || text.endsWith('\n') ? 0 : 1;
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) {
    lines += 1;
  }
  return lines;
}

function structuredJsonOf({ structured }: ToolOutput, { outputBytes }: ToolLimits): string {
  const json = structured === undefined ? '' : JSON.stringify(structured).toWellFormed();
  return utf8Length(json) > outputBytes ? '' : json;
}
