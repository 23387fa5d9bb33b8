import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type AgentEventSchema,
  SpanKind as SpanKindMessage,
  SpanStatus as SpanStatusMessage,
} from '@spanwise/contracts/spanwise/event/v1/event';
import type { ExecuteToolRequest, ExecuteToolResponseSchema } from '@spanwise/contracts/spanwise/tool/v1/tool';
import type { ExecSpanContext as ExecSpanContextMessage } from '@spanwise/contracts/spanwise/type/v1/span';
import {
  brandId,
  type CallId,
  DomainError,
  type ExecSpanContext,
  type RunId,
  type SessionId,
  type SpanEvent,
  type SpanKind,
  type SpanStatus,
  unreachable,
} from '@spanwise/kernel';
import type { Caller, CallFrame, ToolCall } from '../domain/tool/tool-call.ts';
import { toEpoch } from './execution-mapping.ts';
import { toInterruptAnswer, toInterruptMessage, toResultPart } from './result-mapping.ts';

type AgentEventInit = MessageInitShape<typeof AgentEventSchema>;
type ResponseInit = MessageInitShape<typeof ExecuteToolResponseSchema>;

/** `SpanStart.service` of the spans that are opened here. */
const service = 'tool-host';

const kinds: Readonly<Record<SpanKind, SpanKindMessage>> = {
  run: SpanKindMessage.RUN,
  turn: SpanKindMessage.TURN,
  model: SpanKindMessage.MODEL,
  tool: SpanKindMessage.TOOL,
  file: SpanKindMessage.FILE,
};

const statuses: Readonly<Record<SpanStatus, SpanStatusMessage>> = {
  ok: SpanStatusMessage.OK,
  error: SpanStatusMessage.ERROR,
  cancelled: SpanStatusMessage.CANCELLED,
  abandoned: SpanStatusMessage.ABANDONED,
};

/** The call that a request asks for. `timeoutMs` is what is left of the request's deadline. */
export function toToolCall(request: ExecuteToolRequest, caller: Caller, timeoutMs: number | undefined): ToolCall {
  const { sessionId, runId, epoch, callId, tool, argumentsJson, answer, policy } = request;
  return {
    caller,
    sessionId: brandId<SessionId>(sessionId),
    runId: brandId<RunId>(runId),
    epoch: toEpoch(epoch),
    callId: brandId<CallId>(callId),
    tool,
    argumentsJson,
    span: toSpanContext(request.span),
    timeoutMs,
    answer: answer === undefined ? undefined : toInterruptAnswer(answer),
    policy: { allow: policy?.allow ?? [], ask: policy?.ask ?? [], deny: policy?.deny ?? [] },
    isInteractive: request.interactive,
  };
}

function toSpanContext(message: ExecSpanContextMessage | undefined): ExecSpanContext {
  if (message?.span === undefined) {
    throw new DomainError('invalid', 'INVALID_FIELD', 'Invalid request: span: value is required');
  }
  const { span, traceId, traceFlags } = message;
  return { span: { id: span.id, par: span.par }, traceId, traceFlags };
}

/** What is sent for a frame. Ids and seq of session and run are left to whoever drives the run. */
export function toExecuteToolResponse(frame: CallFrame): ResponseInit {
  switch (frame.type) {
    case 'span':
      return { events: [toSpanEvent(frame.event)] };
    case 'progress': {
      const { callId, span, timeMs, progress } = frame;
      const { done, total = 0, message = '' } = progress;
      const value = { callId, progress: done, total, message };
      return { events: [{ span, time: timestampFromMs(timeMs), data: { case: 'toolProgress', value } }] };
    }
    case 'output': {
      const { callId, span, timeMs, text: output } = frame;
      return {
        events: [{ span, time: timestampFromMs(timeMs), data: { case: 'toolProgress', value: { callId, output } } }],
      };
    }
    case 'result':
      return { result: toResultPart(frame.result) };
    case 'suspended':
      return { suspended: toInterruptMessage(frame.interrupt) };
    default:
      return unreachable(frame);
  }
}

function toSpanEvent(event: SpanEvent): AgentEventInit {
  const { span, attributes } = event;
  const time = timestampFromMs(event.timeMs);
  if (event.type === 'span-start') {
    const { name, traceId } = event;
    const value = { kind: kinds[event.kind], name, traceId, attributes, service };
    return { span, time, data: { case: 'spanStart', value } };
  }
  const value = { status: statuses[event.status], errorType: event.errorType, attributes };
  return { span, time, data: { case: 'spanEnd', value } };
}
