import type { ServiceImpl } from '@connectrpc/connect';
import type { ToolHostService } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { brandId, type SessionId } from '@spanwise/kernel';
import { requireIdentity } from '@spanwise/service-kit';
import type { DeleteSessionData } from '../application/delete-session-data.ts';
import type { ExecuteTool } from '../application/execute-tool.ts';
import type { FenceSession } from '../application/fence-session.ts';
import type { GetExecution } from '../application/get-execution.ts';
import type { ToolCatalog } from '../domain/tool/tool-catalog.ts';
import { toExecuteToolResponse, toToolCall } from './call-mapping.ts';
import { toExecutionQuery, toFenceRequest, toGetExecutionResponse, toStoppedMessage } from './execution-mapping.ts';
import { toToolMessage } from './tool-mapping.ts';

export interface ToolHostServiceDeps {
  readonly tools: ToolCatalog;
  readonly executeTool: ExecuteTool;
  readonly getExecution: GetExecution;
  readonly fenceSession: FenceSession;
  readonly deleteSessionData: DeleteSessionData;
}

/** ToolHostService: translates in, calls, translates out. */
export function toolHostServiceHandler({
  tools,
  executeTool,
  getExecution,
  fenceSession,
  deleteSessionData,
}: ToolHostServiceDeps): ServiceImpl<typeof ToolHostService> {
  return {
    listTools: async (_, context) => {
      const caller = requireIdentity(context);
      await tools.prepare(caller, context.signal);
      return { tools: tools.list(caller.uid).map(toToolMessage), perUser: tools.isPerUser };
    },
    async *executeTool(request, context) {
      const call = toToolCall(request, requireIdentity(context), context.timeoutMs());
      // The use case ends its frames soon after the signal aborts, so this never waits for nothing.
      for await (const frame of executeTool.execute(call, context.signal)) {
        yield toExecuteToolResponse(frame);
      }
    },
    getExecution: async (request, context) =>
      toGetExecutionResponse(await getExecution.execute(toExecutionQuery(request), context.signal)),
    fence: async (request, context) => {
      const stopped = await fenceSession.execute(toFenceRequest(request, requireIdentity(context)));
      return { stopped: stopped.map(toStoppedMessage) };
    },
    deleteSessionData: async ({ sessionId }, context) => {
      await deleteSessionData.execute(requireIdentity(context), brandId<SessionId>(sessionId));
      return {};
    },
  };
}
