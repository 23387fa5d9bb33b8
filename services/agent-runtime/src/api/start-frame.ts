import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { RunRequest, StartFrame } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { brandId, DomainError, type FieldViolation } from '@spanwise/kernel';
import type { ToolResultPart } from '../domain/message/message.ts';
import type { Identity, RunDispatch } from '../domain/run/run-dispatch.ts';
import type { RunSpec } from '../domain/run/run-spec.ts';
import { decodeRunSpec, policyOf } from './run-spec.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The dispatch in the first frame of a stream. Throws INVALID_FIELD. */
export function runDispatch({ frame }: RunRequest, identity: Identity): RunDispatch {
  if (frame.case !== 'start') {
    throw invalidFrame(frame.case ?? 'frame', 'came before start');
  }
  const start = frame.value;
  const span = start.span?.span;
  const violations = violationsOf(start);
  const [first] = violations;
  if (first !== undefined || span === undefined || start.span === undefined) {
    throw new DomainError('invalid', 'INVALID_FIELD', `Invalid start: ${first?.field}: ${first?.description}`, {
      violations,
    });
  }
  return {
    sessionId: brandId(start.sessionId),
    runId: brandId(start.runId),
    epoch: start.epoch,
    attempt: start.attempt,
    identity,
    span: {
      span: { id: span.id, par: span.par },
      traceId: start.span.traceId,
      traceFlags: start.span.traceFlags,
    },
    agent: start.agent,
    model: start.model,
    maxTurns: start.maxTurns,
    toolsAllow: start.toolsAllow,
    toolsDeny: start.toolsDeny,
    interactive: start.interactive,
    policy: policyOf(start.policy),
    deadlineMs: start.deadline === undefined ? undefined : timestampMs(start.deadline),
    beginMs: start.beginTime === undefined ? undefined : timestampMs(start.beginTime),
    runLayer: start.runLayer,
    turns: start.turns,
    threads: start.threads,
    spec: specOf(start),
    // Same shape as in the domain; they come from tool-host and session, by way of the log.
    results: start.results as readonly ToolResultPart[],
    answers: start.answers,
  };
}

function specOf({ spec }: StartFrame): RunSpec | undefined {
  try {
    return spec.length === 0 ? undefined : decodeRunSpec(spec);
  } catch (error) {
    throw new DomainError('invalid', 'INVALID_FIELD', 'Invalid start: spec: must be one that a checkpoint had', {
      violations: [{ field: 'spec', description: 'must be one that a checkpoint had' }],
      cause: error,
    });
  }
}

/** The driver broke the order of the stream: a bug of the driver. */
export function invalidFrame(frame: string, description: string): DomainError {
  return new DomainError('invalid', 'INVALID_FIELD', `The ${frame} frame ${description}.`, {
    violations: [{ field: frame, description }],
  });
}

/** Frames of a bidirectional stream are not checked by the server, and this one names what tool-host will be asked for. */
function violationsOf({ sessionId, runId, epoch, attempt, span, maxTurns, turns }: StartFrame): FieldViolation[] {
  const isTrace = /^[0-9a-f]{32}$/.test(span?.traceId ?? '') && (span?.traceFlags ?? 0) <= 255;
  const checks: readonly [field: string, isFine: boolean, description: string][] = [
    ['session_id', uuid.test(sessionId), 'must be a UUID'],
    ['run_id', uuid.test(runId), 'must be a UUID'],
    ['epoch', epoch >= 1n, 'must be at least 1'],
    ['attempt', attempt >= 1, 'must be at least 1'],
    ['span.span', /^[0-9a-f]{16}$/.test(span?.span?.id ?? ''), 'must be an open span'],
    ['span.trace_id', isTrace, 'must be a trace'],
    ['max_turns', maxTurns >= 0, 'must not be negative'],
    ['turns', turns >= 0, 'must not be negative'],
  ];
  return checks.filter(([, isFine]) => !isFine).map(([field, , description]) => ({ field, description }));
}
