import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import {
  ExecutionState as ExecutionStateMessage,
  ExecutionStop as ExecutionStopMessage,
  type FenceRequest as FenceRequestMessage,
  type GetExecutionRequest,
  type GetExecutionResponseSchema,
  type StoppedExecutionSchema,
} from '@spanwise/contracts/spanwise/tool/v1/tool';
import { brandId, type CallId, type RunId, type SessionId } from '@spanwise/kernel';
import type { FenceRequest } from '../application/fence-session.ts';
import type { ExecutionQuery } from '../application/get-execution.ts';
import type { Execution, ExecutionState } from '../domain/execution/execution.ts';
import { epochOutOfRange } from '../domain/execution/execution-errors.ts';
import { highestEpoch } from '../domain/execution/ledger.ts';
import type { ExecutionStop, StoppedExecution } from '../domain/execution/stopped-execution.ts';
import type { Caller } from '../domain/tool/tool-call.ts';
import { toInterruptMessage, toResultPart } from './result-mapping.ts';
import { effects } from './tool-mapping.ts';

const states: Readonly<Record<ExecutionState, ExecutionStateMessage>> = {
  STARTED: ExecutionStateMessage.STARTED,
  SUSPENDED: ExecutionStateMessage.SUSPENDED,
  DONE: ExecutionStateMessage.DONE,
  UNKNOWN: ExecutionStateMessage.UNKNOWN,
};

const stops: Readonly<Record<ExecutionStop, ExecutionStopMessage>> = {
  stopped: ExecutionStopMessage.STOPPED,
  finished: ExecutionStopMessage.FINISHED,
  unstoppable: ExecutionStopMessage.UNSTOPPABLE,
};

/** Throws INVALID_FIELD for an epoch that a number can not tell from its neighbours. */
export function toEpoch(epoch: bigint): number {
  if (epoch > BigInt(highestEpoch)) {
    throw epochOutOfRange();
  }
  return Number(epoch);
}

export function toExecutionQuery({ sessionId, runId, callId, epoch, wait }: GetExecutionRequest): ExecutionQuery {
  return {
    sessionId: brandId<SessionId>(sessionId),
    runId: brandId<RunId>(runId),
    callId: brandId<CallId>(callId),
    epoch: toEpoch(epoch),
    waitMs: wait === undefined ? 0 : durationMs(wait),
  };
}

export function toGetExecutionResponse(
  execution: Execution | undefined,
): MessageInitShape<typeof GetExecutionResponseSchema> {
  if (execution === undefined) {
    return { state: ExecutionStateMessage.NONE };
  }
  const { state, end, interrupt } = execution;
  return {
    state: states[state],
    effect: effects[execution.effect],
    ...(state === 'DONE' && end !== undefined ? { result: toResultPart(end.result) } : {}),
    ...(state === 'SUSPENDED' && interrupt !== undefined ? { suspended: toInterruptMessage(interrupt) } : {}),
  };
}

export function toFenceRequest(request: FenceRequestMessage, caller: Caller): FenceRequest {
  return {
    caller,
    sessionId: brandId<SessionId>(request.sessionId),
    epoch: toEpoch(request.epoch),
    isStop: request.stop,
    isLocal: request.localOnly,
  };
}

export function toStoppedMessage({
  runId,
  callId,
  tool,
  outcome,
}: StoppedExecution): MessageInitShape<typeof StoppedExecutionSchema> {
  return { runId, callId, tool, outcome: stops[outcome] };
}
