import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { type AgentError, AgentErrorSchema } from '@spanwise/contracts/spanwise/error/v1/error';
import { FinishReason } from '@spanwise/contracts/spanwise/event/v1/event';
import {
  AbortedSchema,
  type FinishFrame,
  FinishFrameSchema,
  type RunResponse,
  RunResponseSchema,
} from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { type DomainError, type ErrorKind, unreachable } from '@spanwise/kernel';
import { codeOf, reasonNumber } from '@spanwise/service-kit';
import type { RunEnd, RunOutcome } from '../domain/run/run-outcome.ts';

const reasonOfFinish = {
  stop: FinishReason.STOP,
  'max-turns': FinishReason.MAX_TURNS,
  length: FinishReason.LENGTH,
  'content-filter': FinishReason.CONTENT_FILTER,
} as const;

/** Kinds of failure after which the same input may succeed. */
const retryable: ReadonlySet<ErrorKind> = new Set(['unavailable', 'exhausted', 'aborted']);

/** The last frame of a stream. */
export function finishResponse(outcome: RunOutcome): RunResponse {
  const value = create(FinishFrameSchema, { outcome: outcomeOf(outcome), usage: outcome.usage });
  return create(RunResponseSchema, { frame: { case: 'finish', value } });
}

function outcomeOf(end: RunEnd): FinishFrame['outcome'] {
  switch (end.ended) {
    case 'completed':
      return { case: 'completed', value: reasonOfFinish[end.finish] };
    case 'aborted':
      return { case: 'aborted', value: create(AbortedSchema) };
    case 'failed':
      return { case: 'failed', value: agentError(end.error) };
    default:
      return unreachable(end);
  }
}

function agentError({ kind, reason, message, retryAfterMs }: DomainError): AgentError {
  return create(AgentErrorSchema, {
    code: codeOf(kind),
    reason: reasonNumber(reason),
    message,
    retryable: retryable.has(kind),
    ...(retryAfterMs === undefined ? {} : { retryAfter: durationFromMs(retryAfterMs) }),
  });
}
