import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { type Client, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { ExecutionState, type GetExecutionResponse, ToolHostService } from '@spanwise/contracts/spanwise/tool/v1/tool';
import type { Interrupt as Suspended } from '@spanwise/contracts/spanwise/type/v1/interrupt';
import type { ToolResultPart as Result } from '@spanwise/contracts/spanwise/type/v1/message';
import type { Clock, DomainError, ExecSpanContext } from '@spanwise/kernel';
import { callOptions, errorInfoOf, toDomainError } from '@spanwise/service-kit';
import {
  type FoundExecution,
  type SoughtExecution,
  type ToolAnswer,
  type ToolExecution,
  type ToolHost,
  toolHostUnavailable,
} from '../../application/ports/tool-host.ts';
import type { ToolResultPart, ToolTruncation } from '../../domain/message/message.ts';
import type { Interrupt } from '../../domain/run/interrupt.ts';
import type { RunScope } from '../../domain/run/run-dispatch.ts';
import type { RunEvent } from '../../domain/run/run-event.ts';
import { type Tool, toolOf } from '../../domain/tool/tool.ts';
import { ToolListCache } from './tool-list-cache.ts';

export interface ConnectToolHostDeps {
  readonly transport: Transport;
  readonly clock: Clock;
}

/** How long a list of tools is good for. */
const keepListMs = 5_000;
/** Time for ListTools. */
const listTimeoutMs = 5_000;
/** Time for GetExecution, on top of how long it waits. */
const findTimeoutMs = 10_000;

/** Tool-host over gRPC, for the user of the run. */
export class ConnectToolHost implements ToolHost {
  readonly #client: Client<typeof ToolHostService>;
  readonly #tools: ToolListCache;

  constructor({ transport, clock }: ConnectToolHostDeps) {
    this.#client = createClient(ToolHostService, transport);
    this.#tools = new ToolListCache({ clock, keepMs: keepListMs });
  }

  list({ identity }: RunScope, span: ExecSpanContext): Promise<readonly Tool[]> {
    return this.#tools.get(identity.uid, async () => {
      try {
        const { tools, perUser: isPerUser } = await this.#client.listTools(
          {},
          { ...callOptions({ identity, span }), timeoutMs: listTimeoutMs },
        );
        return { tools: tools.map(toolOf), isPerUser };
      } catch (error) {
        throw toolHostUnavailable(false, error);
      }
    });
  }

  async execute(
    { run, call, span, answer, policy, isInteractive: interactive }: ToolExecution,
    emit: (event: RunEvent) => void,
    signal: AbortSignal,
  ): Promise<ToolAnswer> {
    const { sessionId, runId, epoch, identity } = run;
    const { callId, tool, argumentsJson } = call;
    let hasBegun = false;
    let given: ToolAnswer | undefined;
    try {
      const request = {
        sessionId,
        runId,
        epoch,
        callId,
        tool,
        argumentsJson,
        span,
        policy: { allow: [...policy.allow], ask: [...policy.ask], deny: [...policy.deny] },
        interactive,
        ...(answer === undefined ? {} : { answer }),
      };
      // Read to its end: to leave it early would cancel the call.
      for await (const response of this.#client.executeTool(request, callOptions({ identity, span }, signal))) {
        hasBegun = true;
        response.events.filter(isToolEvent).forEach(emit);
        given = answerOf(callId, response.result, response.suspended) ?? given;
      }
    } catch (error) {
      // A connection that was lost after the result takes nothing from it.
      if (given === undefined) {
        throw failureOf(error, hasBegun);
      }
    }
    if (given === undefined) {
      throw toolHostUnavailable(true);
    }
    return given;
  }

  async find({ run, call, span }: SoughtExecution, waitMs: number, signal: AbortSignal): Promise<FoundExecution> {
    const { sessionId, runId, epoch, identity } = run;
    const { callId } = call;
    const options = { ...callOptions({ identity, span }, signal), timeoutMs: waitMs + findTimeoutMs };
    try {
      const request = { sessionId, runId, callId, epoch, wait: durationFromMs(waitMs) };
      return foundOf(callId, await this.#client.getExecution(request, options));
    } catch (error) {
      const failure = toDomainError(error);
      // Whoever does not answer in time is away.
      const isAway = failure.kind === 'unavailable' || failure.kind === 'deadline';
      throw isAway ? toolHostUnavailable(true, error) : failure;
    }
  }
}

function isToolEvent(event: AgentEvent): event is AgentEvent & RunEvent {
  const { case: kind } = event.data;
  return event.span !== undefined && (kind === 'spanStart' || kind === 'spanEnd' || kind === 'toolProgress');
}

function foundOf(callId: string, { state, result, suspended }: GetExecutionResponse): FoundExecution {
  const answer = answerOf(callId, result, suspended);
  switch (state) {
    case ExecutionState.NONE:
      return { state: 'none' };
    case ExecutionState.STARTED:
      return { state: 'started' };
    case ExecutionState.DONE:
      return answer?.kind === 'result' ? { state: 'done', result: answer.result } : { state: 'unknown' };
    case ExecutionState.SUSPENDED:
      return answer?.kind === 'suspended' ? { state: 'suspended', interrupt: answer.interrupt } : { state: 'unknown' };
    default:
      return { state: 'unknown' };
  }
}

function answerOf(callId: string, result: Result | undefined, suspended: Suspended | undefined) {
  if (result !== undefined) {
    return { kind: 'result', result: resultOf(callId, result) } as const;
  }
  return suspended === undefined
    ? undefined
    : ({ kind: 'suspended', interrupt: interruptOf(callId, suspended) } as const);
}

function interruptOf(callId: string, { id, kind, message, schemaJson, expireTime, approval }: Suspended): Interrupt {
  return { id, kind, callId, message, schemaJson, expireTime, ...(approval === undefined ? {} : { approval }) };
}

function resultOf(callId: string, { outcome, content, structuredJson, code, truncated }: Result): ToolResultPart {
  return {
    callId,
    outcome: outcome as ToolResultPart['outcome'],
    content: content as ToolResultPart['content'],
    structuredJson,
    code,
    ...(truncated === undefined ? {} : { truncated: truncationOf(truncated) }),
  };
}

function truncationOf({ shownBytes, totalBytes, fullPath }: NonNullable<Result['truncated']>): ToolTruncation {
  return { shownBytes, totalBytes, fullPath };
}

/** Errors of tool-host itself say what is wrong; errors of the connection say only whether the call can have arrived. */
function failureOf(error: unknown, hasBegun: boolean): DomainError {
  const failure = toDomainError(error);
  const isOwn = error instanceof ConnectError && errorInfoOf(error) !== undefined;
  if (failure.kind !== 'unavailable') {
    return failure;
  }
  // Said when the ledger could not be asked whether the call may begin: its span was open by then.
  const isNotBegun = isOwn && failure.reason === 'DATABASE_UNAVAILABLE';
  return toolHostUnavailable(!isNotBegun && (hasBegun || !(isOwn || wasRefused(error))), error);
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
