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
import type { Interrupt, InterruptAnswer } from '@spanwise/tool-kit/contract';
import type { ToolOutcome, ToolResult, ToolTruncation } from '../domain/tool/tool-call.ts';

const outcomes: Readonly<Record<ToolOutcome, ToolOutcomeMessage>> = {
  ok: ToolOutcomeMessage.OK,
  error: ToolOutcomeMessage.ERROR,
  timeout: ToolOutcomeMessage.TIMEOUT,
  cancelled: ToolOutcomeMessage.CANCELLED,
  unknown: ToolOutcomeMessage.UNKNOWN,
};

export function toResultPart(result: ToolResult): MessageInitShape<typeof ToolResultPartSchema> {
  const { callId, outcome, text, structuredJson, code, truncated } = result;
  const part = { callId, outcome: outcomes[outcome], structuredJson, code };
  return {
    ...part,
    content: [{ content: { case: 'text', value: text } }],
    ...(truncated === undefined ? {} : { truncated: toTruncation(truncated) }),
  };
}

function toTruncation({ shownBytes, totalBytes, fullPath }: ToolTruncation) {
  return { shownBytes: BigInt(shownBytes), totalBytes: BigInt(totalBytes), fullPath };
}

const interruptKinds: Readonly<Record<Interrupt['kind'], InterruptKind>> = {
  question: InterruptKind.QUESTION,
  auth: InterruptKind.AUTH,
  approval: InterruptKind.APPROVAL,
};

export function toInterruptMessage({
  id,
  kind,
  callId,
  message,
  schemaJson,
  expiresAtMs,
  approval,
}: Interrupt): MessageInitShape<typeof InterruptSchema> {
  const expireTime = timestampFromMs(expiresAtMs);
  const told = { id, kind: interruptKinds[kind], callId, message, schemaJson, expireTime };
  return approval === undefined ? told : { ...told, approval: { ...approval, targets: [...approval.targets] } };
}

export function toInterruptAnswer(answer: InterruptAnswerMessage): InterruptAnswer {
  const { interruptId, answerJson, expired: isExpired, answeredBy } = answer;
  return { interruptId, answerJson, isExpired, answeredBy };
}
