import type { Agent, AgentLimits, AgentTools } from '../agent/agent.ts';
import { renderInstructions } from '../agent/instructions.ts';
import type { Tool } from '../tool/tool.ts';

/** What a run works with from its first dispatch to its end, whatever is configured meanwhile. */
export interface RunSpec {
  readonly agent: AgentSpec;
  /** What the model is offered, sorted by name. */
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
}

/** The agent for a run that begins now. */
export function agentSpec(agent: Agent, nowMs: number): AgentSpec {
  const { name, description, model, limits } = agent;
  const date = new Date(nowMs).toISOString().slice(0, 10);
  return {
    name,
    description,
    instructions: renderInstructions(agent.instructions, { agent: name, date }),
    model,
    limits,
  };
}

/** What a run says about its tools, on top of its agent. */
export interface ToolChoice {
  /** Empty = all that the agent allows. */
  readonly toolsAllow: readonly string[];
  readonly toolsDeny: readonly string[];
  /** Whether somebody is there to answer questions. */
  readonly interactive: boolean;
}

/** Those of the tools that the model is offered, sorted by name: a stable order keeps prompt caches warm. */
export function offeredTools(tools: readonly Tool[], { allow, deny }: AgentTools, choice: ToolChoice): readonly Tool[] {
  const { toolsAllow, toolsDeny, interactive } = choice;
  return tools
    .filter(
      ({ name, toolClass }) =>
        (allow === 'all' || allow.includes(name)) &&
        (toolsAllow.length === 0 || toolsAllow.includes(name)) &&
        !deny.includes(name) &&
        !toolsDeny.includes(name) &&
        (interactive || toolClass !== 'interaction'),
    )
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
