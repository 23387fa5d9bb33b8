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
  YieldFrameSchema,
  YieldReason,
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

const reasonOfYield = { waiting: YieldReason.WAITING, detached: YieldReason.DETACHED } as const;

/** The last frame of a stream. Throws FENCED when another dispatch goes on with the run: that one has the last word. */
export function lastResponse(outcome: RunOutcome): RunResponse {
  const { usage } = outcome;
  switch (outcome.ended) {
    case 'fenced':
      throw outcome.error;
    case 'yielded': {
      const value = create(YieldFrameSchema, { reason: reasonOfYield[outcome.why], usage });
      return create(RunResponseSchema, { frame: { case: 'yield', value } });
    }
    default: {
      const value = create(FinishFrameSchema, { outcome: finishOf(outcome), usage });
      return create(RunResponseSchema, { frame: { case: 'finish', value } });
    }
  }
}

function finishOf(end: Exclude<RunEnd, { readonly ended: 'fenced' | 'yielded' }>): FinishFrame['outcome'] {
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
