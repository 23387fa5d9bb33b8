import { durationMs } from '@bufbuild/protobuf/wkt';
import type { ProvidedTool, ProvidedToolLimits } from '@spanwise/contracts/spanwise/tool/v1/provider';
import {
  ToolClass as ClassMessage,
  ToolEffect as EffectMessage,
  ToolDecision,
} from '@spanwise/contracts/spanwise/tool/v1/tool';
import {
  defaultToolLimits,
  type Tool,
  type ToolClass,
  type ToolEffect,
  type ToolInput,
  type ToolLimits,
} from '@spanwise/tool-kit/contract';
import { findJsonFault } from '../../domain/arguments/json-scanner.ts';
import { utf8Length } from '../../domain/text/bounded-text.ts';
import { SchemaCompiler } from '../mcp/remote-schema.ts';
import { providedToolUnfit } from './provider-errors.ts';

/** Executes calls of one tool. */
export type ExecuteProvided = Tool['execute'];

const maxDescriptionBytes = 16 * 1024;
const maxSchemaBytes = 64 * 1024;
const maxTitleBytes = 256;
const maxVersionBytes = 256;
const maxTimeoutMs = 3_600_000;
const maxOutputLines = 20_000;
const maxOutputBytes = 1024 * 1024;

/** What is not known is taken for what is most careful. */
const effects: ReadonlyMap<EffectMessage, ToolEffect> = new Map([
  [EffectMessage.READ_ONLY, 'READ_ONLY'],
  [EffectMessage.IDEMPOTENT, 'IDEMPOTENT'],
]);

const classes: ReadonlyMap<ClassMessage, ToolClass> = new Map([
  [ClassMessage.FILES, 'files'],
  [ClassMessage.SEARCH, 'search'],
  [ClassMessage.INTERACTION, 'interaction'],
  [ClassMessage.SHELL, 'shell'],
  [ClassMessage.WEB, 'web'],
  [ClassMessage.DELEGATION, 'delegation'],
  [ClassMessage.REMOTE, 'remote'],
]);

/**
 * A tool of a provider, as this host offers it. Throws INVALID_FIELD, with why, when it can not: its name is taken for
 * `provider__name`.
 */
export function toTool(provider: string, listed: ProvidedTool, execute: ExecuteProvided): Tool {
  const { title, description, version } = listed;
  const name = `${provider}__${listed.name}`;
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw providedToolUnfit('has a name that models refuse, or one that is too long');
  }
  const isTooLong =
    utf8Length(description) > maxDescriptionBytes ||
    utf8Length(title) > maxTitleBytes ||
    utf8Length(version) > maxVersionBytes;
  if (isTooLong) {
    throw providedToolUnfit('has a title, a description or a version that is too long');
  }
  return {
    ...{ name, description, version, execute },
    title: title === '' ? listed.name : title,
    source: provider,
    toolClass: classes.get(listed.toolClass) ?? 'own',
    effect: effects.get(listed.effect) ?? 'NON_REPEATABLE',
    input: toInput(listed.inputSchemaJson),
    limits: toLimits(listed.limits),
    ...decisionOf(listed.defaultDecision),
  };
}

function toInput(schemaJson: string): ToolInput<unknown> {
  const fault = utf8Length(schemaJson) > maxSchemaBytes ? 'it is too long' : findJsonFault(schemaJson)?.problem;
  if (fault !== undefined) {
    throw providedToolUnfit(`has a schema that is not used: ${fault}`);
  }
  const schema: unknown = JSON.parse(schemaJson);
  if (typeof schema !== 'object' || schema === null || !('type' in schema) || schema.type !== 'object') {
    throw providedToolUnfit('has a schema that is not used: it describes no object');
  }
  const compiled = new SchemaCompiler().compile(schema);
  if (!compiled.isFit) {
    throw providedToolUnfit(`has a schema that is not used: ${compiled.fault}`);
  }
  return compiled.schema;
}

function toLimits(limits: ProvidedToolLimits | undefined): ToolLimits {
  const timeoutMs = limits?.timeout === undefined ? 0 : durationMs(limits.timeout);
  return {
    timeoutMs: bounded(timeoutMs, defaultToolLimits.timeoutMs, maxTimeoutMs),
    outputLines: bounded(limits?.outputLines ?? 0, defaultToolLimits.outputLines, maxOutputLines),
    outputBytes: bounded(limits?.outputBytes ?? 0, defaultToolLimits.outputBytes, maxOutputBytes),
  };
}

function bounded(value: number, fallback: number, max: number): number {
  return value > 0 ? Math.min(value, max) : fallback;
}

/** A provider can not deny its own tool, and what is not known is asked for. */
function decisionOf(decision: ToolDecision): Pick<Tool, 'defaultDecision'> {
  switch (decision) {
    case ToolDecision.UNSPECIFIED:
      return {};
    case ToolDecision.ALLOW:
      return { defaultDecision: 'allow' };
    default:
      return { defaultDecision: 'ask' };
  }
}
