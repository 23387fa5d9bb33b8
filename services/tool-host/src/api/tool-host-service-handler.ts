import type { ServiceImpl } from '@connectrpc/connect';
import type { ToolHostService } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { requireIdentity } from '@spanwise/service-kit';
import type { ExecuteTool } from '../application/execute-tool.ts';
import type { ToolCatalog } from '../domain/tool/tool-catalog.ts';
import { toExecuteToolResponse, toToolCall } from './call-mapping.ts';
import { toToolMessage } from './tool-mapping.ts';

export interface ToolHostServiceDeps {
  readonly tools: ToolCatalog;
  readonly executeTool: ExecuteTool;
}

/** ToolHostService: translates in, calls, translates out. */
export function toolHostServiceHandler({
  tools,
  executeTool,
}: ToolHostServiceDeps): ServiceImpl<typeof ToolHostService> {
  return {
    listTools: () => ({ tools: tools.list().map(toToolMessage) }),
    async *executeTool(request, context) {
      const call = toToolCall(request, requireIdentity(context), context.timeoutMs());
      // The use case ends its frames as soon as the signal aborts, so this never waits for nothing.
      for await (const frame of executeTool.execute(call, context.signal)) {
        yield toExecuteToolResponse(frame);
      }
    },
  };
}
