import { type Client, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { type Tool as ListedTool, ToolEffect, ToolHostService } from '@spanwise/contracts/spanwise/tool/v1/tool';
import type { ToolResultPart as Result } from '@spanwise/contracts/spanwise/type/v1/message';
import type { Clock, DomainError, ExecSpanContext } from '@spanwise/kernel';
import { callOptions, errorInfoOf, toDomainError } from '@spanwise/service-kit';
import { type ToolExecution, type ToolHost, toolHostUnavailable } from '../../application/ports/tool-host.ts';
import type { ToolResultPart } from '../../domain/message/message.ts';
import type { RunScope } from '../../domain/run/run-dispatch.ts';
import type { RunEvent } from '../../domain/run/run-event.ts';
import type { Tool } from '../../domain/tool/tool.ts';
import { ToolListCache } from './tool-list-cache.ts';

export interface ConnectToolHostDeps {
  readonly transport: Transport;
  readonly clock: Clock;
}

/** How long a list of tools is good for. */
const keepListMs = 5_000;
/** Time for ListTools. */
const listTimeoutMs = 5_000;

/** Tool-host over gRPC, for the user of the run. */
export class ConnectToolHost implements ToolHost {
  readonly #client: Client<typeof ToolHostService>;
  readonly #tools: ToolListCache;

  constructor({ transport, clock }: ConnectToolHostDeps) {
    this.#client = createClient(ToolHostService, transport);
    this.#tools = new ToolListCache({ clock, keepMs: keepListMs });
  }

  list({ identity }: RunScope, span: ExecSpanContext): Promise<readonly Tool[]> {
    return this.#tools.get(async () => {
      try {
        const { tools } = await this.#client.listTools(
          {},
          { ...callOptions({ identity, span }), timeoutMs: listTimeoutMs },
        );
        return tools.map(toolOf);
      } catch (error) {
        throw toolHostUnavailable(false, error);
      }
    });
  }

  async execute({ run, call, span }: ToolExecution, emit: (event: RunEvent) => void, signal: AbortSignal) {
    const { sessionId, runId, epoch, identity } = run;
    const { callId, tool, argumentsJson } = call;
    let hasBegun = false;
    let result: Result | undefined;
    try {
      const request = { sessionId, runId, epoch, callId, tool, argumentsJson, span };
      // Read to its end: to leave it early would cancel the call.
      for await (const response of this.#client.executeTool(request, callOptions({ identity, span }, signal))) {
        hasBegun = true;
        response.events.filter(isToolEvent).forEach(emit);
        result = response.result ?? result;
      }
    } catch (error) {
      // A connection that was lost after the result takes nothing from it.
      if (result === undefined) {
        throw failureOf(error, hasBegun);
      }
    }
    if (result === undefined) {
      throw toolHostUnavailable(true);
    }
    return resultOf(callId, result);
  }
}

function toolOf({ name, description, inputSchemaJson, effect }: ListedTool): Tool {
  const effects = { [ToolEffect.READ_ONLY]: 'read-only', [ToolEffect.IDEMPOTENT]: 'idempotent' } as const;
  return {
    name,
    description,
    inputSchema: JSON.parse(inputSchemaJson) as Tool['inputSchema'],
    // What is not known to be harmless is not.
    effect: effects[effect as keyof typeof effects] ?? 'non-repeatable',
  };
}

function isToolEvent(event: AgentEvent): event is AgentEvent & RunEvent {
  const { case: kind } = event.data;
  return event.span !== undefined && (kind === 'spanStart' || kind === 'spanEnd' || kind === 'toolProgress');
}

function resultOf(callId: string, { outcome, content, structuredJson }: Result): ToolResultPart {
  return {
    callId,
    outcome: outcome as ToolResultPart['outcome'],
    content: content as ToolResultPart['content'],
    structuredJson,
  };
}

/** Errors of tool-host itself say what is wrong; errors of the connection say only whether the call can have arrived. */
function failureOf(error: unknown, hasBegun: boolean): DomainError {
  const failure = toDomainError(error);
  const isOwn = error instanceof ConnectError && errorInfoOf(error) !== undefined;
  if (failure.kind !== 'unavailable') {
    return failure;
  }
  return toolHostUnavailable(hasBegun || !(isOwn || wasRefused(error)), error);
}

/** Whether no connection was made at all. */
function wasRefused(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && (cause.code === 'ECONNREFUSED' || cause.code === 'ENOTFOUND')) {
      return true;
    }
  }
  return false;
}
