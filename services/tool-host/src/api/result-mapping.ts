import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type InterruptAnswer as InterruptAnswerMessage,
  InterruptKind,
  type InterruptSchema,
} from '@spanwise/contracts/spanwise/type/v1/interrupt';
import {
  ToolOutcome as ToolOutcomeMessage,
  type ToolResultPartSchema,
} from '@spanwise/contracts/spanwise/type/v1/message';
import type { Interrupt, InterruptAnswer } from '../domain/execution/interrupt.ts';
import type { ToolOutcome, ToolResult } from '../domain/tool/tool-call.ts';

const outcomes: Readonly<Record<ToolOutcome, ToolOutcomeMessage>> = {
  ok: ToolOutcomeMessage.OK,
  error: ToolOutcomeMessage.ERROR,
  timeout: ToolOutcomeMessage.TIMEOUT,
  cancelled: ToolOutcomeMessage.CANCELLED,
  unknown: ToolOutcomeMessage.UNKNOWN,
};

export function toResultPart({
  callId,
  outcome,
  text,
  structuredJson,
}: ToolResult): MessageInitShape<typeof ToolResultPartSchema> {
  return {
    callId,
    outcome: outcomes[outcome],
    content: [{ content: { case: 'text', value: text } }],
    structuredJson,
  };
}

const interruptKinds: Readonly<Record<Interrupt['kind'], InterruptKind>> = {
  question: InterruptKind.QUESTION,
  auth: InterruptKind.AUTH,
};

export function toInterruptMessage({
  id,
  kind,
  callId,
  message,
  schemaJson,
  expiresAtMs,
}: Interrupt): MessageInitShape<typeof InterruptSchema> {
  const expireTime = timestampFromMs(expiresAtMs);
  return { id, kind: interruptKinds[kind], callId, message, schemaJson, expireTime };
}

export function toInterruptAnswer({ interruptId, answerJson, expired }: InterruptAnswerMessage): InterruptAnswer {
  return { interruptId, answerJson, isExpired: expired };
}
