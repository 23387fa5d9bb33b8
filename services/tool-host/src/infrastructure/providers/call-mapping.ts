import { durationMs } from '@bufbuild/protobuf/wkt';
import type {
  CallToolRequest,
  ProvidedTool,
  ToolCallProgress,
  ToolCallResult,
  ToolCallSuspension,
} from '@spanwise/contracts/spanwise/tool/v1/provider';
import type { ToolContext, ToolOutput, ToolProgress, ToolSuspension } from '@spanwise/tool-kit/contract';
import { findJsonFault } from '../../domain/arguments/json-scanner.ts';
import { utf8Length } from '../../domain/text/bounded-text.ts';
import { providerBroken } from './provider-errors.ts';

const maxSchemaBytes = 64 * 1024;
const maxExpiryMs = 365 * 24 * 60 * 60 * 1000;
const codePattern = /^[A-Z][A-Z0-9_]{0,63}$/;

type CallRequest = Omit<CallToolRequest, '$typeName' | 'answer'>;

/** What a provider is asked. No token, and no more of the user than the uid. */
export function toCallRequest({ name: tool, version }: ProvidedTool, input: unknown, context: ToolContext) {
  const { call, idempotencyKey, answer } = context;
  const request: CallRequest = { ...call, tool, version, argumentsJson: JSON.stringify(input), idempotencyKey };
  if (answer === undefined) {
    return request;
  }
  const { interruptId, answerJson, isExpired: expired, answeredBy } = answer;
  return { ...request, answer: { interruptId, callId: call.callId, answerJson, expired, answeredBy } };
}

export function toProgress({ done, total, message }: ToolCallProgress): ToolProgress {
  return { done, ...(total === 0 ? {} : { total }), ...(message === '' ? {} : { message }) };
}

export function toOutput({ text, structuredJson, isError, code, notice, keepsEnds }: ToolCallResult): ToolOutput {
  const structured = structuredJson === '' ? undefined : parseJson(structuredJson);
  return {
    text,
    ...(notice === '' ? {} : { notice }),
    ...(keepsEnds ? { keeps: 'ends' } : {}),
    ...(structured === undefined ? {} : { structured }),
    ...(isError ? { isError, code: codePattern.test(code) ? code : 'TOOL_FAILED' } : {}),
  };
}

/** Throws what is a bug of the provider when the schema of the answer can not be used. */
export function toSuspension(provider: string, { message, schemaJson, expiresIn }: ToolCallSuspension): ToolSuspension {
  const schema = utf8Length(schemaJson) > maxSchemaBytes ? undefined : parseJson(schemaJson);
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw providerBroken(provider, 'asks for an answer without a schema of it');
  }
  const expiresInMs =
    expiresIn === undefined ? undefined : Math.min(Math.max(durationMs(expiresIn), 1000), maxExpiryMs);
  return {
    suspend: {
      kind: 'question',
      message,
      schema: schema as Readonly<Record<string, unknown>>,
      ...(expiresInMs === undefined ? {} : { expiresInMs }),
    },
  };
}

/** Undefined when it is none that is used elsewhere in this service. */
function parseJson(text: string): unknown {
  return findJsonFault(text) === undefined ? (JSON.parse(text) as unknown) : undefined;
}
