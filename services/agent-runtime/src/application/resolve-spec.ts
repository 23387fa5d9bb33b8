import type { Clock } from '@spanwise/kernel';
import { joinPolicies, noPolicy, type ToolPolicy } from '@spanwise/tool-kit/contract';
import type { Agent, AgentCatalog, AgentTools } from '../domain/agent/agent.ts';
import { delegateTool, delegateToolName, isDelegate } from '../domain/delegation/delegate-tool.ts';
import type { RunDispatch } from '../domain/run/run-dispatch.ts';
import { type AgentSpec, agentSpec, offeredTools, type RunSpec } from '../domain/run/run-spec.ts';
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
  /**
   * What the agent and the run allow of the tools that there are, sorted by name, and the agents that tasks may be delegated
   * to, with theirs. Throws TOOL_HOST_UNAVAILABLE.
   */
  offered(): Promise<Pick<RunSpec, 'tools' | 'delegates'>>;
}

/** What the run began with; for a run that begins, what is configured now. Throws AGENT_NOT_FOUND. */
export function resolveSpec(dispatch: RunDispatch, { agents, toolHost, clock }: ResolveSpecDeps): ResolvedSpec {
  const { spec } = dispatch;
  if (spec !== undefined) {
    return { agent: spec.agent, isNew: false, offered: async () => spec };
  }
  const agent = agents.get(dispatch.agent);
  const nowMs = clock.nowMs();
  const others = heldDelegates(agent, agents);
  return {
    agent: agentSpec(agent, nowMs),
    isNew: true,
    async offered() {
      const listed = await toolHost.list(dispatch, dispatch.span);
      const offered = (to: Agent) => offeredTools(...toolsFor(to, listed, agents), dispatch);
      return {
        tools: offered(agent),
        delegates: others.map((other) => ({ agent: agentSpec(other, nowMs), tools: offered(other) })),
      };
    },
  };
}

/**
 * All agents that a task of this one may get to, each with what deny or ask those say, besides itself, over whom it may come:
 * nobody gets around their own rules by handing a task on.
 */
function heldDelegates(agent: Agent, agents: AgentCatalog): readonly Agent[] {
  const others = delegatesOf(agent, agents);
  const held = new Map([agent, ...others].map(({ name, tools }) => [name, tools.policy]));
  const policyOf = (name: string) => held.get(name) ?? noPolicy;
  for (let isSettled = false; !isSettled; ) {
    isSettled = true;
    for (const { name, delegation } of [agent, ...others]) {
      for (const to of delegation.agents) {
        const after = joinPolicies(policyOf(to), { ...policyOf(name), allow: [] });
        isSettled &&= countRules(after) === countRules(policyOf(to));
        held.set(to, after);
      }
    }
  }
  return others.map((other) => ({ ...other, tools: { ...other.tools, policy: policyOf(other.name) } }));
}

function countRules({ ask, deny }: ToolPolicy): number {
  return ask.length + deny.length;
}

/** All agents that a task of this one may get to, over others too, sorted by name. */
function delegatesOf(agent: Agent, agents: AgentCatalog): readonly Agent[] {
  const found = new Set<string>();
  const waiting = [agent];
  for (const each of waiting) {
    for (const name of each.delegation.agents.filter((other) => !found.has(other))) {
      found.add(name);
      waiting.push(agents.get(name));
    }
  }
  return [...found].toSorted().map((name) => agents.get(name));
}

/** The tools that there are for an agent, and what it may use of them: to delegate, it need not be allowed to. */
function toolsFor(
  { tools, delegation }: Agent,
  listed: readonly Tool[],
  agents: AgentCatalog,
): [readonly Tool[], AgentTools] {
  const others = listed.filter((tool) => !isDelegate(tool));
  if (delegation.agents.length === 0) {
    return [others, tools];
  }
  const allow = tools.allow === 'all' ? 'all' : [...tools.allow, delegateToolName];
  return [[...others, delegateTool(delegation.agents.map((name) => agents.get(name)))], { ...tools, allow }];
}
