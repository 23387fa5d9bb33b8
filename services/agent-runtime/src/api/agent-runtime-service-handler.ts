import type { ServiceImpl } from '@connectrpc/connect';
import type { AgentRuntimeService } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { requireIdentity } from '@spanwise/service-kit';
import type { AgentCatalog } from '../domain/agent/agent.ts';
import { type RunStreamDeps, runStream } from './run-stream.ts';

export interface AgentRuntimeServiceHandlerDeps extends RunStreamDeps {
  readonly agents: AgentCatalog;
}

/** `AgentRuntimeService` on the wire. */
export function agentRuntimeServiceHandler(
  deps: AgentRuntimeServiceHandlerDeps,
): ServiceImpl<typeof AgentRuntimeService> {
  return {
    run: (requests, context) => runStream(deps, requests, requireIdentity(context), context.signal),
    listAgents: () => ({
      agents: deps.agents
        .list()
        .map(({ name, description, model, limits }) => ({ name, description, model, maxTurns: limits.maxTurns })),
    }),
  };
}
