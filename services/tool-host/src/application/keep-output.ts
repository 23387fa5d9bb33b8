import type { CallLog, Files } from '@spanwise/tool-kit/contract';
import { hasReason } from '../domain/files/file-errors.ts';
import { clipBytes } from '../domain/text/bounded-text.ts';
import type { ToolCall } from '../domain/tool/tool-call.ts';
import { keptOutputsPath } from './kept-outputs-path.ts';
import type { KeepOutput } from './ports/kept-outputs.ts';

/** What one write takes. */
const maxKeptBytes = 8 * 1024 * 1024;

/** Keeps the outputs of a call in the files of its session, under the call's id. */
export function keepOutput(files: Files, { callId }: ToolCall, log: CallLog): KeepOutput {
  const path = `${keptOutputsPath}/${callId}.txt`;
  return async (text) => {
    const data = new TextEncoder().encode(clipBytes(text, maxKeptBytes));
    try {
      await files.write(path, data, { type: 'create-only' }).catch(async (error: unknown) => {
        if (!hasReason(error, 'FILE_EXISTS')) {
          throw error;
        }
        // The call was executed before, and says something else this time.
        const { etag } = await files.stat(path);
        await files.write(path, data, { type: 'if-match', etag });
      });
      return path;
    } catch (error) {
      // The model is shown what fits; that the rest is lost is said in the notice.
      log.warn({ err: error }, 'output not kept');
      return undefined;
    }
  };
}
