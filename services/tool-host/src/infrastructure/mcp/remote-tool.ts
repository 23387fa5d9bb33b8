import { defaultToolLimits, type Tool } from '@spanwise/tool-kit/contract';
import type { ToolServer } from '../servers/tool-server.ts';
import { type ExecuteRemoteDeps, executeRemote } from './execute-remote.ts';
import type { ListedTool } from './listed-tool.ts';

/** What of a hash is a version: an approval is for one description only. */
const versionLength = 16;

/** A tool of a server, for the catalogue. */
export function remoteTool(server: ToolServer, listed: ListedTool, deps: ExecuteRemoteDeps): Tool {
  const { name, title, description, hash, effect, timeoutMs, input } = listed;
  return {
    ...{ name, title, description, effect, input },
    version: hash.slice(0, versionLength),
    toolClass: 'remote',
    limits: { ...defaultToolLimits, timeoutMs, outputBytes: server.outputBytes },
    defaultDecision: server.defaultDecision,
    source: server.name,
    execute: (value, context) => executeRemote(deps, listed, value, context),
  };
}
