import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { DomainError } from '@spanwise/kernel';
import { codeOf, reasonNumber } from '@spanwise/service-kit';
import type { AgentError } from '../domain/event/agent-event.ts';

/** What is said inside streams of an error: the code and reason that a unary call would have answered. */
export function toAgentError({ kind, reason, message, retryAfterMs }: DomainError): AgentError {
  const retryable = kind === 'unavailable' || kind === 'exhausted' || kind === 'aborted';
  const error = { code: codeOf(kind), reason: reasonNumber(reason), message, retryable };
  return retryAfterMs === undefined ? error : { ...error, retryAfter: durationFromMs(retryAfterMs) };
}
