import { joinPolicies, namesTool, parseRule, type ToolPolicy } from '@spanwise/tool-kit/contract';
import type { Agent, AgentLimits, AgentTools } from '../agent/agent.ts';
import { renderInstructions } from '../agent/instructions.ts';
import type { DelegationLimits } from '../delegation/delegation.ts';
import type { Tool } from '../tool/tool.ts';

/** What a run works with from its first dispatch to its end, whatever is configured meanwhile. */
export interface RunSpec {
  readonly agent: AgentSpec;
  /** What the model is offered, sorted by name. */
  readonly tools: readonly Tool[];
  /** The agents that tasks may be delegated to, by the run's agent or by one of them, sorted by name. */
  readonly delegates: readonly DelegateSpec[];
}

/** An agent that tasks may be delegated to. */
export interface DelegateSpec {
  readonly agent: AgentSpec;
  /** What its model is offered, sorted by name. */
  readonly tools: readonly Tool[];
}

/** An agent as it was when the run began. */
export interface AgentSpec {
  readonly name: string;
  /** What it is for. */
  readonly description: string;
  /** As the model is told them, with the date of the first dispatch: it does not move within a run. */
  readonly instructions: string;
  /** Used unless the run names another one. */
  readonly model: string;
  readonly limits: AgentLimits;
  /** Its rules for calls of tools. */
  readonly policy: ToolPolicy;
  readonly delegation: DelegationLimits;
}

/** The agent for a run that begins now. */
export function agentSpec(agent: Agent, nowMs: number): AgentSpec {
  const { name, description, model, limits, delegation } = agent;
  const date = new Date(nowMs).toISOString().slice(0, 10);
  return {
    name,
    description,
    instructions: renderInstructions(agent.instructions, { agent: name, date }),
    model,
    limits,
    policy: agent.tools.policy,
    delegation,
  };
}

/** What a run says about its tools, on top of its agent. */
export interface ToolChoice {
  /** Empty = all that the agent allows. */
  readonly toolsAllow: readonly string[];
  readonly toolsDeny: readonly string[];
  /** Whether somebody is there to answer questions. */
  readonly interactive: boolean;
  /** Rules of session and run for calls of tools. */
  readonly policy: ToolPolicy;
}

/**
 * Those of the tools that the model is offered, sorted by name: a stable order keeps prompt caches warm. What the rules
 * refuse whatever it touches is not offered.
 */
export function offeredTools(tools: readonly Tool[], agent: AgentTools, choice: ToolChoice): readonly Tool[] {
  const { allow, deny } = agent;
  const { toolsAllow, toolsDeny, interactive } = choice;
  const refusing = joinPolicies(agent.policy, choice.policy)
    .deny.map(parseRule)
    .filter((rule) => rule !== undefined && rule.target === undefined);
  return tools
    .filter(
      ({ name, toolClass }) =>
        (allow === 'all' || allow.includes(name)) &&
        (toolsAllow.length === 0 || toolsAllow.includes(name)) &&
        !deny.includes(name) &&
        !toolsDeny.includes(name) &&
        !refusing.some((rule) => rule !== undefined && namesTool(rule, name)) &&
        (interactive || toolClass !== 'interaction'),
    )
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
