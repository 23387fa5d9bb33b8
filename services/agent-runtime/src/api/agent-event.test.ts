import { create, equals, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { AbandonReason, AgentEventSchema, SpanKind, SpanStatus } from '@spanwise/contracts/spanwise/event/v1/event';
import { ToolClass, ToolEffect } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { InterruptKind } from '@spanwise/contracts/spanwise/type/v1/interrupt';
import { Role, ToolOutcome } from '@spanwise/contracts/spanwise/type/v1/message';
import { describe, expect, it } from 'vitest';
import { role, toolOutcome } from '../domain/message/message.ts';
import { abandonReason, eventTime, type RunEvent, spanKind, spanStatus } from '../domain/run/run-event.ts';
import { toolClassNumber, toolEffectNumber } from '../domain/tool/tool.ts';
import { agentEvent } from './agent-event.ts';

const span = { id: '0123456789abcdef', par: 'fedcba9876543210' };

describe('an event on the wire', () => {
  it.each<RunEvent['data']>([
    { case: 'textDelta', value: { blockId: 'b', offset: 7n, text: 'x' } },
    { case: 'reasoningDelta', value: { blockId: 'b', offset: 7n, text: 'x' } },
    { case: 'toolCallDelta', value: { callId: 'c', offset: 7n, text: 'x' } },
  ])('is what the contract makes of it, though $case is written out', (data) => {
    const made = agentEvent({ span, threadId: 'call', data });
    const expected = create(AgentEventSchema, { span, threadId: 'call', data } as MessageInitShape<
      typeof AgentEventSchema
    >);
    expect(equals(AgentEventSchema, made, expected)).toBe(true);
    expect(toBinary(AgentEventSchema, made)).toEqual(toBinary(AgentEventSchema, expected));
  });

  it('keeps all fields of an event', () => {
    const event: RunEvent = {
      span,
      time: eventTime(1_700_000_000_123),
      data: {
        case: 'toolResult',
        value: {
          callId: 'c',
          outcome: toolOutcome.timeout,
          content: [{ content: { case: 'text', value: 'late' } }],
          structuredJson: '{}',
          code: 'DEADLINE_EXCEEDED',
          truncated: { shownBytes: 4n, totalBytes: 9n, fullPath: '/tool-results/c.txt' },
        },
      },
    };
    const read = fromBinary(AgentEventSchema, toBinary(AgentEventSchema, agentEvent(event)));
    expect(read).toMatchObject({
      ...event,
      time: { seconds: 1_700_000_000n, nanos: 123_000_000 },
      seq: 0n,
      sessionId: '',
      runId: '',
      epoch: 0n,
    });
  });
});

describe('an interrupt on the wire', () => {
  it('is as tool-host made it', () => {
    const interrupt = {
      id: 'i',
      kind: InterruptKind.QUESTION,
      callId: 'c',
      message: 'Shall I?',
      schemaJson: '{}',
      expireTime: { seconds: 5n, nanos: 1 },
    };
    const event = agentEvent({ span, time: eventTime(0), data: { case: 'interrupt', value: { interrupt } } });
    const read = fromBinary(AgentEventSchema, toBinary(AgentEventSchema, event));
    expect(read.data).toMatchObject({ case: 'interrupt', value: { interrupt } });
  });
});

describe('the numbers of the domain', () => {
  it('are those of the contract', () => {
    expect(role).toEqual({ system: Role.SYSTEM, user: Role.USER, assistant: Role.ASSISTANT, tool: Role.TOOL });
    expect(toolOutcome).toEqual({
      ok: ToolOutcome.OK,
      error: ToolOutcome.ERROR,
      cancelled: ToolOutcome.CANCELLED,
      timeout: ToolOutcome.TIMEOUT,
      unknown: ToolOutcome.UNKNOWN,
      notStarted: ToolOutcome.NOT_STARTED,
    });
    expect(spanKind).toEqual({
      run: SpanKind.RUN,
      turn: SpanKind.TURN,
      model: SpanKind.MODEL,
      tool: SpanKind.TOOL,
      file: SpanKind.FILE,
    });
    expect(spanStatus).toEqual({
      ok: SpanStatus.OK,
      error: SpanStatus.ERROR,
      cancelled: SpanStatus.CANCELLED,
      abandoned: SpanStatus.ABANDONED,
    });
    expect(toolEffectNumber).toEqual({
      'read-only': ToolEffect.READ_ONLY,
      idempotent: ToolEffect.IDEMPOTENT,
      'non-repeatable': ToolEffect.NON_REPEATABLE,
    });
    expect(toolClassNumber).toEqual({
      other: ToolClass.UNSPECIFIED,
      files: ToolClass.FILES,
      search: ToolClass.SEARCH,
      interaction: ToolClass.INTERACTION,
      shell: ToolClass.SHELL,
      web: ToolClass.WEB,
      delegation: ToolClass.DELEGATION,
      remote: ToolClass.REMOTE,
      own: ToolClass.OWN,
    });
    expect(abandonReason).toEqual({ retry: AbandonReason.RETRY, runEnded: AbandonReason.RUN_ENDED });
  });
});
