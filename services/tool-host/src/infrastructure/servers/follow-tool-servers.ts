import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { CallLog } from '@spanwise/tool-kit/contract';
import type { ToolServer } from './tool-server.ts';
import { toolServersInvalid } from './tool-server-errors.ts';
import { parseToolServers, type Variables } from './tool-server-file.ts';

export interface FollowToolServersOptions {
  readonly path: string;
  readonly variables: Variables;
  /** How often the file is looked at. */
  readonly everyMs: number;
  readonly log: CallLog;
  /** Told of the servers that there are: at first, and when they have become others. */
  readonly onServers: (servers: readonly ToolServer[]) => void;
}

/**
 * Reads the file of servers and follows its changes until it is disposed of. Throws INVALID_FIELD with file and line when it
 * can not be used at the beginning; later that is logged, and what there was stays. The file is read and compared rather than
 * watched: it may be a link that is put in place as a whole, and lie on a disk that tells of no changes.
 */
export async function followToolServers(options: FollowToolServersOptions): Promise<AsyncDisposable> {
  const { path, variables, everyMs, log, onServers } = options;
  let text = await readText(path);
  onServers(parseToolServers(basename(path), text, variables));
  let problem = '';
  const look = async () => {
    try {
      const found = await readText(path);
      if (found !== text) {
        text = found;
        onServers(parseToolServers(basename(path), found, variables));
        log.info({}, 'tool servers read again');
      }
      problem = '';
    } catch (error) {
      const told = error instanceof Error ? error.message : String(error);
      if (told !== problem) {
        problem = told;
        log.error({ problem: told }, 'tool servers can not be read: what there was stays');
      }
    }
  };
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
  }, everyMs);
  timer.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await looking;
    },
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw toolServersInvalid([{ place: basename(path), problem: 'can not be read' }], error);
  }
}
