import type { ToolPolicy } from '@spanwise/tool-kit/contract';
import type { DelegationLimits } from '../delegation/delegation.ts';

/** A named configuration of a model and what it may do. */
export interface Agent {
  readonly name: string;
  /** What it is for. */
  readonly description: string;
  /** Template of its instructions; see `renderInstructions`. */
  readonly instructions: string;
  /** Used unless a run names another one. */
  readonly model: string;
  readonly tools: AgentTools;
  readonly limits: AgentLimits;
  readonly delegation: DelegationLimits;
}

export interface AgentTools {
  /** Names; `all` = every tool that there is. */
  readonly allow: 'all' | readonly string[];
  /** Names that it may not use, even when allowed. */
  readonly deny: readonly string[];
  /** Rules for calls of those that it may use. */
  readonly policy: ToolPolicy;
}

export interface AgentLimits {
  /** Model calls of a run. */
  readonly maxTurns: number;
  /** Time for a run that has no deadline of its own. */
  readonly timeoutMs: number;
  /** Tokens of one answer. */
  readonly maxOutputTokens: number;
}

/** The configured agents. */
export interface AgentCatalog {
  /** Throws AGENT_NOT_FOUND. */
  get(name: string): Agent;
  /** Sorted by name. */
  list(): readonly Agent[];
}
