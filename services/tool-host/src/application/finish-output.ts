import type { Tool, ToolOutput } from '@spanwise/tool-kit/contract';
import { utf8Length } from '../domain/text/bounded-text.ts';
import type { CallEnd, ToolCall } from '../domain/tool/tool-call.ts';
import { boundText, type TextCut } from './bound-output.ts';
import { cleanOutput } from './clean-output.ts';
import type { KeepOutput } from './ports/kept-outputs.ts';

/**
 * Makes of what a tool says what the model is shown: clean, without secrets, within the limits of the tool. What is over
 * them is kept in a file, whole, and a notice says where. The tool's own notice is always shown.
 */
export async function finishOutput(
  keep: KeepOutput,
  { callId }: ToolCall,
  { limits }: Tool,
  output: ToolOutput,
): Promise<CallEnd> {
  const { text, notice, structuredJson } = cleanOutput(output);
  const { shown, cut } = boundText(text, limits, output.keeps ?? 'head');
  const fullPath = cut === undefined ? undefined : await keep(text);
  const parts = [shown, cut === undefined ? '' : noticeOf(cut, fullPath), notice].filter((part) => part !== '');
  const isError = output.isError === true;
  const result = {
    callId,
    outcome: isError ? ('error' as const) : ('ok' as const),
    text: parts.length === 0 ? '[No output.]' : parts.join('\n'),
    structuredJson: utf8Length(structuredJson) > limits.outputBytes ? '' : structuredJson,
    code: isError ? (output.code ?? 'TOOL_FAILED') : '',
    truncated:
      cut === undefined
        ? undefined
        : { shownBytes: cut.shownBytes, totalBytes: cut.totalBytes, fullPath: fullPath ?? '' },
  };
  return { result, errorType: result.code };
}

function noticeOf({ shownLines, totalLines, shownBytes, totalBytes }: TextCut, fullPath: string | undefined): string {
  const shown = `${shownLines} of ${totalLines} lines, ${shownBytes} of ${totalBytes} bytes`;
  const more =
    fullPath === undefined
      ? 'Ask for less, or for a narrower part.'
      : `All of it is in ${fullPath}: read or grep there.`;
  return `[Output cut: ${shown} are shown. ${more}]`;
}
