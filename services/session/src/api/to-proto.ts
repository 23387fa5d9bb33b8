import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ErrorReason } from '@spanwise/contracts/spanwise/error/v1/error';
import type { AgentEventSchema, FinishReason, SpanKind, SpanStatus } from '@spanwise/contracts/spanwise/event/v1/event';
import {
  RunStatus as ProtoRunStatus,
  SessionStatus as ProtoSessionStatus,
  StopOutcome as ProtoStopOutcome,
  type RunSchema,
  type SessionSchema,
  type SpanSchema,
  type StoppedSpanSchema,
} from '@spanwise/contracts/spanwise/session/v1/session';
import type { InterruptKind, InterruptSchema } from '@spanwise/contracts/spanwise/type/v1/interrupt';
import type { ToolPolicySchema } from '@spanwise/contracts/spanwise/type/v1/policy';
import type { ToolPolicy } from '@spanwise/tool-kit/contract';
import type { LoggedSpan } from '../application/read-log.ts';
import type { AgentEvent, Interrupt } from '../domain/event/agent-event.ts';
import {
  isOver,
  type Run,
  type RunEnding,
  type RunStatus,
  type StopOutcome,
  type StoppedSpan,
} from '../domain/run/run.ts';
import type { Session, SessionStatus } from '../domain/session/session.ts';

const sessionStatuses: Readonly<Record<SessionStatus, ProtoSessionStatus>> = {
  IDLE: ProtoSessionStatus.IDLE,
  RUNNING: ProtoSessionStatus.RUNNING,
  WAITING: ProtoSessionStatus.WAITING,
};

const runStatuses: Readonly<Record<RunStatus, ProtoRunStatus>> = {
  QUEUED: ProtoRunStatus.QUEUED,
  RUNNING: ProtoRunStatus.RUNNING,
  WAITING: ProtoRunStatus.WAITING,
  FINISHING: ProtoRunStatus.FINISHING,
  COMPLETED: ProtoRunStatus.COMPLETED,
  CANCELLED: ProtoRunStatus.CANCELLED,
  FAILED: ProtoRunStatus.FAILED,
};

export function toProtoSession(session: Session): MessageInitShape<typeof SessionSchema> {
  return {
    id: session.id,
    uid: session.uid,
    title: session.title,
    toolPolicy: toProtoPolicy(session.toolPolicy),
    status: sessionStatuses[session.status],
    activeRunId: session.activeRunId ?? '',
    lastSeq: BigInt(session.lastSeq),
    createTime: timestampFromMs(session.createdAtMs),
    updateTime: timestampFromMs(session.updatedAtMs),
  };
}

function toProtoPolicy({ allow, ask, deny }: ToolPolicy): MessageInitShape<typeof ToolPolicySchema> {
  return { allow: [...allow], ask: [...ask], deny: [...deny] };
}

export function toProtoRun(run: Run, interrupts: readonly Interrupt[] = []): MessageInitShape<typeof RunSchema> {
  // What a run that is FINISHING will have ended with is not told before it has.
  const ending = isOver(run.status) ? run.ending : undefined;
  return {
    id: run.id,
    sessionId: run.sessionId,
    status: runStatuses[run.status],
    agent: run.options.agent,
    requestId: run.requestId,
    attempt: run.attempt,
    span: { span: run.span.span, traceId: run.span.traceId, traceFlags: run.span.traceFlags },
    startSeq: BigInt(run.startSeq),
    terminalSeq: BigInt(run.terminalSeq),
    cancelRequested: run.cancelRequestedAtMs !== undefined,
    createTime: timestampFromMs(run.createdAtMs),
    interrupts: interrupts.map(toProtoInterrupt),
    ...(run.endedAtMs === undefined ? {} : { endTime: timestampFromMs(run.endedAtMs) }),
    ...(ending?.usage === undefined ? {} : { usage: ending.usage }),
    ...(ending === undefined ? {} : endingFields(ending)),
  };
}

function endingFields(ending: RunEnding) {
  return ending.status === 'FAILED'
    ? { error: { ...ending.error, reason: ending.error.reason as ErrorReason } }
    : { finishReason: ending.finishReason as FinishReason };
}

function toProtoInterrupt(interrupt: Interrupt): MessageInitShape<typeof InterruptSchema> {
  const { approval, ...told } = interrupt;
  const kind = interrupt.kind as InterruptKind;
  return {
    ...told,
    kind,
    ...(approval === undefined ? {} : { approval: { ...approval, targets: [...approval.targets] } }),
  };
}

const stopOutcomes: Readonly<Record<StopOutcome, ProtoStopOutcome>> = {
  stopped: ProtoStopOutcome.STOPPED,
  finished: ProtoStopOutcome.FINISHED,
  unstoppable: ProtoStopOutcome.UNSTOPPABLE,
};

/** A line of the receipt of a cancel. */
export function toProtoStopped({
  id,
  par,
  kind,
  name,
  outcome,
}: StoppedSpan): MessageInitShape<typeof StoppedSpanSchema> {
  return { span: { id, par }, kind: kind as SpanKind, name, outcome: stopOutcomes[outcome] };
}

export function toProtoSpan({ span, end, ...start }: LoggedSpan): MessageInitShape<typeof SpanSchema> {
  return {
    span,
    traceId: start.traceId,
    kind: start.kind as SpanKind,
    name: start.name,
    service: start.service,
    startTime: timestampFromMs(start.startMs),
    attributes: { ...start.attributes, ...end?.attributes },
    ...(end === undefined
      ? {}
      : { endTime: timestampFromMs(end.endMs), status: end.status as SpanStatus, errorType: end.errorType }),
  };
}

/** The domain's event is the message, but for the marks of the generated type. */
export function toProtoEvents(events: readonly AgentEvent[]): MessageInitShape<typeof AgentEventSchema>[] {
  return events as MessageInitShape<typeof AgentEventSchema>[];
}
