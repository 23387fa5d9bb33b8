import type { Clock } from '@spanwise/kernel';
import type { AgentCatalog } from '../domain/agent/agent.ts';
import type { RunDispatch } from '../domain/run/run-dispatch.ts';
import { type AgentSpec, agentSpec, offeredTools } from '../domain/run/run-spec.ts';
import type { Tool } from '../domain/tool/tool.ts';
import type { ToolHost } from './ports/tool-host.ts';

export interface ResolveSpecDeps {
  readonly agents: AgentCatalog;
  readonly toolHost: Pick<ToolHost, 'list'>;
  readonly clock: Clock;
}

/** What a dispatch works with. */
export interface ResolvedSpec {
  readonly agent: AgentSpec;
  /** True when the run begins: the driver does not know the specification yet. */
  readonly isNew: boolean;
  /** What the agent and the run allow of the tools that there are, sorted by name. Throws TOOL_HOST_UNAVAILABLE. */
  tools(): Promise<readonly Tool[]>;
}

/** What the run began with; for a run that begins, what is configured now. Throws AGENT_NOT_FOUND. */
export function resolveSpec(dispatch: RunDispatch, { agents, toolHost, clock }: ResolveSpecDeps): ResolvedSpec {
  const { spec } = dispatch;
  if (spec !== undefined) {
    return { agent: spec.agent, isNew: false, tools: async () => spec.tools };
  }
  const agent = agents.get(dispatch.agent);
  return {
    agent: agentSpec(agent, clock.nowMs()),
    isNew: true,
    tools: async () => offeredTools(await toolHost.list(dispatch, dispatch.span), agent.tools, dispatch),
  };
}
