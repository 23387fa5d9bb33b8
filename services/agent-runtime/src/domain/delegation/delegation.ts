/** What an agent may hand to others. */
export interface DelegationLimits {
  /** Names of the agents that it may delegate tasks to, sorted; empty = it does everything itself. */
  readonly agents: readonly string[];
  /** Tasks of one message that are worked on at the same time. */
  readonly maxParallel: number;
  /**
   * How deep the tasks of a run may be delegated: 1 = its own agent delegates, and nobody else. That of the run's agent
   * counts.
   */
  readonly maxDepth: number;
}

export const defaultDelegation: DelegationLimits = { agents: [], maxParallel: 4, maxDepth: 3 };
