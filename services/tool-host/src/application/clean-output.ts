import type { ToolOutput } from '@spanwise/tool-kit/contract';
import { redact } from '../domain/text/redact.ts';

/** What a tool says, fit to be shown and stored: well-formed, without terminal sequences and without secrets. */
export interface CleanOutput {
  readonly text: string;
  readonly notice: string;
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

export function cleanOutput({ text, notice = '', structured }: ToolOutput): CleanOutput {
  return {
    text: cleanText(text),
    notice: cleanText(notice),
    structuredJson: structured === undefined ? '' : redact(JSON.stringify(structured).toWellFormed()),
  };
}

function cleanText(text: string): string {
  return redact(text.toWellFormed().replaceAll(terminalSequences, ''));
}
