import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type {
  CallToolRequest,
  CallToolResponseSchema,
  ProvidedToolSchema,
} from '@spanwise/contracts/spanwise/tool/v1/provider';
import {
  ToolClass as ToolClassMessage,
  ToolDecision as ToolDecisionMessage,
  ToolEffect as ToolEffectMessage,
} from '@spanwise/contracts/spanwise/tool/v1/tool';
import type { InterruptAnswer } from '../contract/interrupt.ts';
import {
  defaultDecisionOf,
  type ProviderTool,
  type ToolClass,
  type ToolEffect,
  type ToolOutput,
  type ToolSuspension,
} from '../contract/tool.ts';
import { onlyQuestions } from './provider-errors.ts';

export type CallMessage = MessageInitShape<typeof CallToolResponseSchema>;

const effects: Readonly<Record<ToolEffect, ToolEffectMessage>> = {
  READ_ONLY: ToolEffectMessage.READ_ONLY,
  IDEMPOTENT: ToolEffectMessage.IDEMPOTENT,
  NON_REPEATABLE: ToolEffectMessage.NON_REPEATABLE,
};

const classes: Readonly<Record<ToolClass, ToolClassMessage>> = {
  files: ToolClassMessage.FILES,
  search: ToolClassMessage.SEARCH,
  interaction: ToolClassMessage.INTERACTION,
  shell: ToolClassMessage.SHELL,
  web: ToolClassMessage.WEB,
  delegation: ToolClassMessage.DELEGATION,
  remote: ToolClassMessage.REMOTE,
  own: ToolClassMessage.OWN,
};

const decisions = { allow: ToolDecisionMessage.ALLOW, ask: ToolDecisionMessage.ASK };

/** What tool-host is told of a tool. */
export function toProvidedTool(tool: ProviderTool): MessageInitShape<typeof ProvidedToolSchema> {
  const { name, title, description, version, effect, toolClass, limits } = tool;
  return {
    ...{ name, title, description, version },
    inputSchemaJson: JSON.stringify(tool.input.jsonSchema),
    effect: effects[effect],
    toolClass: classes[toolClass],
    limits: {
      timeout: durationFromMs(limits.timeoutMs),
      outputLines: limits.outputLines,
      outputBytes: limits.outputBytes,
    },
    defaultDecision: decisions[tool.defaultDecision ?? defaultDecisionOf(toolClass)],
  };
}

export function toAnswer({ answer }: CallToolRequest): InterruptAnswer | undefined {
  if (answer === undefined) {
    return undefined;
  }
  const { interruptId, answerJson, expired: isExpired, answeredBy } = answer;
  return { interruptId, answerJson, isExpired, answeredBy };
}

/** The last message of a call. Throws what a tool that asks for something other than an answer has earned. */
export function toLastMessage(tool: string, end: ToolOutput | ToolSuspension): CallMessage {
  return 'suspend' in end ? toSuspension(tool, end) : toResult(end);
}

function toSuspension(tool: string, { suspend }: ToolSuspension): CallMessage {
  const { kind, message, schema, expiresInMs } = suspend;
  if (kind !== 'question') {
    throw onlyQuestions(tool);
  }
  const asked = { message: message.toWellFormed(), schemaJson: JSON.stringify(schema).toWellFormed() };
  const expiresIn = expiresInMs === undefined ? {} : { expiresIn: durationFromMs(expiresInMs) };
  return { message: { case: 'suspended', value: { ...asked, ...expiresIn } } };
}

/** UTF-8 bytes of what a tool says that fit into one message of the wire. */
const maxResultBytes = 15 * 1024 * 1024;

function toResult({ text, structured, isError, code, notice, keeps }: ToolOutput): CallMessage {
  const structuredJson = structured === undefined ? '' : (JSON.stringify(structured) ?? '').toWellFormed();
  const value = {
    text: text.toWellFormed(),
    structuredJson,
    isError: isError === true,
    code: code ?? '',
    notice: notice?.toWellFormed() ?? '',
    keepsEnds: keeps === 'ends',
  };
  const bytes = Buffer.byteLength(value.text) + Buffer.byteLength(structuredJson) + Buffer.byteLength(value.notice);
  return { message: { case: 'result', value: bytes > maxResultBytes ? tooLong(bytes) : value } };
}

function tooLong(bytes: number) {
  const text = `The tool did what it was asked to, but its output of ${bytes} bytes is too long to be shown.`;
  return { text, isError: true, code: 'TOOL_FAILED' };
}
