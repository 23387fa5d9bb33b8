import type { ServiceImpl } from '@connectrpc/connect';
import type { AgentRuntimeService } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { DomainError } from '@spanwise/kernel';
import { requireIdentity } from '@spanwise/service-kit';
import type { AgentCatalog } from '../domain/agent/agent.ts';
import { type RunStreamDeps, runStream } from './run-stream.ts';

export interface AgentRuntimeServiceHandlerDeps extends RunStreamDeps {
  readonly agents: AgentCatalog;
  /** True from the begin of a shutdown: no new runs. */
  readonly isDraining: () => boolean;
}

/** `AgentRuntimeService` on the wire. */
export function agentRuntimeServiceHandler(
  deps: AgentRuntimeServiceHandlerDeps,
): ServiceImpl<typeof AgentRuntimeService> {
  return {
    run(requests, context) {
      if (deps.isDraining()) {
        throw shuttingDown();
      }
      return runStream(deps, requests, requireIdentity(context), context.signal);
    },
    listAgents: () => ({
      agents: deps.agents
        .list()
        .map(({ name, description, model, limits }) => ({ name, description, model, maxTurns: limits.maxTurns })),
    }),
  };
}

/** This replica takes no new runs. The driver asks another one. */
function shuttingDown(): DomainError {
  return new DomainError('unavailable', 'SHUTTING_DOWN', 'The process is shutting down: another replica serves.');
}
