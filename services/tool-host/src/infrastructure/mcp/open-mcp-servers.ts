import { guardedFetch } from '@spanwise/egress';
import type { ToolSource } from '../../domain/tool/tool-source.ts';
import { followToolServers } from '../servers/follow-tool-servers.ts';
import type { Variables } from '../servers/tool-server-file.ts';
import { defaultConnectionTimes } from './mcp-connections.ts';
import { McpServers, type McpServersDeps } from './mcp-servers.ts';

export interface OpenMcpServersOptions
  extends Pick<McpServersDeps, 'callers' | 'clock' | 'log' | 'pins' | 'questions'> {
  /** The file that names them. */
  readonly file: string;
  /** What the file may ask for by name; `PATH` is what programs get. */
  readonly variables: Variables;
}

/** The servers of a file, followed until disposed of. */
export interface OpenMcpServers extends AsyncDisposable {
  sources(): readonly ToolSource[];
}

const lookEveryMs = 1000;
/** A server may say nothing for longer than its calls may take: streams that only tell of changes. */
const quietMs = 600_000;
/** Above what one message may have. */
const maxBodyBytes = 16 * 1024 * 1024;

/**
 * Takes up the servers of a file and waits for none of them. Throws INVALID_FIELD with file and line when it can not be used.
 */
export async function openMcpServers({ file, variables, ...deps }: OpenMcpServersOptions): Promise<OpenMcpServers> {
  await using resources = new AsyncDisposableStack();
  const servers = resources.use(
    new McpServers({
      ...deps,
      times: defaultConnectionTimes,
      random: Math.random,
      path: variables.PATH ?? '',
      fetchFor: (url, timeoutMs) =>
        guardedFetch({ allow: [hostOf(url)], idleTimeoutMs: Math.max(quietMs, timeoutMs * 2), maxBytes: maxBodyBytes }),
    }),
  );
  const onServers: McpServers['follow'] = (all) => servers.follow(all);
  resources.use(await followToolServers({ path: file, variables, everyMs: lookEveryMs, log: deps.log, onServers }));
  const owned = resources.move();
  return { sources: () => servers.sources(), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** By naming a server its operator allows its host: this port of it, and nothing else. */
function hostOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}`;
}
