import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type AgentEvent, AgentEventSchema } from '@spanwise/contracts/spanwise/event/v1/event';
import type { ExecSpan } from '@spanwise/kernel';
import type { RunEvent } from '../domain/run/run-event.ts';

/** What goes on the wire for an event. Session, run, epoch and seq are left to the driver. */
export function agentEvent({ span, time, threadId = '', data }: RunEvent): AgentEvent {
  switch (data.case) {
    // Deltas are nearly all events: written out they cost a twentieth of what `create` takes.
    case 'textDelta':
      return delta(span, threadId, {
        case: data.case,
        value: { $typeName: 'spanwise.event.v1.TextDelta', ...data.value, ...whole },
      });
    case 'reasoningDelta':
      return delta(span, threadId, {
        case: data.case,
        value: { $typeName: 'spanwise.event.v1.ReasoningDelta', ...data.value, ...whole },
      });
    case 'toolCallDelta':
      return delta(span, threadId, {
        case: data.case,
        value: { $typeName: 'spanwise.event.v1.ToolCallDelta', ...data.value, ...whole },
      });
    default:
      // The domain's events are readonly, and those of the contract, which have the same shape, are not.
      return create(AgentEventSchema, { span, time, threadId, data } as MessageInitShape<typeof AgentEventSchema>);
  }
}

const whole = { elidedBytes: 0n };

function delta(span: ExecSpan, threadId: string, data: AgentEvent['data']): AgentEvent {
  return {
    $typeName: 'spanwise.event.v1.AgentEvent',
    seq: 0n,
    sessionId: '',
    runId: '',
    epoch: 0n,
    threadId,
    span: { $typeName: 'spanwise.type.v1.ExecSpan', id: span.id, par: span.par },
    data,
  };
}
