import { DomainError, excerpt } from '@spanwise/kernel';

/** No agent of that name is configured. The caller chooses one that ListAgents names. */
export function agentNotFound(name: string): DomainError {
  return new DomainError('not-found', 'AGENT_NOT_FOUND', `There is no agent ${excerpt(name)}.`);
}
