import { createHash } from 'node:crypto';
import type { Tool as ServerTool } from '@modelcontextprotocol/client';
import { matchesWild, type ToolEffect } from '@spanwise/tool-kit/contract';
import type { ToolServer } from '../servers/tool-server.ts';
import { isToolName, offeredName } from './remote-names.ts';
import type { RemoteSchema, SchemaCompiler } from './remote-schema.ts';
import { remoteLine, remoteText } from './remote-text.ts';

/** A tool of a server, as it is offered. */
export interface ListedTool {
  /** What models call it by. */
  readonly name: string;
  /** As the server describes it. */
  readonly described: ServerTool;
  readonly title: string;
  readonly description: string;
  /** SHA-256, hex, of all that the server says about it. */
  readonly hash: string;
  readonly effect: ToolEffect;
  readonly timeoutMs: number;
  readonly input: RemoteSchema;
  readonly output: RemoteSchema | undefined;
}

/** A tool that is not offered. */
export interface UnfitTool {
  /** As the server calls it, for the log. */
  readonly name: string;
  readonly fault: string;
}

const maxTools = 256;
const maxTitleLength = 128;
const maxDescriptionLength = 4096;

/** Reads the list of a server: what its operator lets through, and what can be offered of it. */
export async function readTools(
  server: ToolServer,
  described: readonly ServerTool[],
  compiler: SchemaCompiler,
): Promise<{ readonly tools: readonly ListedTool[]; readonly unfit: readonly UnfitTool[] }> {
  const tools = new Map<string, ListedTool>();
  const unfit: UnfitTool[] = [];
  for (const each of described.filter(({ name }) => isLetThrough(server, name))) {
    const read = tools.size < maxTools ? readTool(server, each, compiler) : `there are more than ${maxTools} tools`;
    const fault = typeof read === 'string' ? read : tools.has(read.name) ? 'another tool has its name' : undefined;
    if (fault !== undefined) {
      unfit.push({ name: remoteLine(each.name, maxTitleLength), fault });
    } else if (typeof read !== 'string') {
      tools.set(read.name, read);
    }
    // Schemas are compiled: others get a turn in between.
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  return { tools: [...tools.values()], unfit };
}

function isLetThrough({ tools }: ToolServer, name: string): boolean {
  const isOne = (patterns: readonly string[]) => patterns.some((pattern) => matchesWild(pattern, name));
  return isOne(tools.allow) && !isOne(tools.deny);
}

/** The tool, or why it can not be offered. */
function readTool(server: ToolServer, described: ServerTool, compiler: SchemaCompiler): ListedTool | string {
  const { name, title, annotations, description = '', inputSchema, outputSchema } = described;
  if (!isToolName(name)) {
    return 'its name is not one';
  }
  const input = compiler.compile(inputSchema);
  if (!input.isFit) {
    return `its input schema can not be used: ${input.fault}`;
  }
  const output = outputSchema === undefined ? undefined : compiler.compile(outputSchema);
  return {
    name: offeredName(server.name, name),
    described,
    title: remoteLine(title ?? annotations?.title ?? name, maxTitleLength) || name,
    description: remoteText(description, maxDescriptionLength),
    hash: hashOf(described, output?.isFit !== false),
    effect: effectOf(server, described),
    timeoutMs: server.timeoutMs,
    input: input.schema,
    output: output?.isFit === true ? output.schema : undefined,
  };
}

/** What the operator says first, exact names before patterns; what the server says only where that is trusted. */
function effectOf({ effects, trustsAnnotations }: ToolServer, { name, annotations }: ServerTool): ToolEffect {
  const exact = Object.hasOwn(effects, name) ? effects[name] : undefined;
  const [, matching] = Object.entries(effects).find(([pattern]) => matchesWild(pattern, name)) ?? [];
  const said = exact ?? matching;
  if (said !== undefined || !trustsAnnotations) {
    return said ?? 'NON_REPEATABLE';
  }
  if (annotations?.readOnlyHint === true) {
    return 'READ_ONLY';
  }
  return annotations?.idempotentHint === true ? 'IDEMPOTENT' : 'NON_REPEATABLE';
}

/** The order of keys means nothing, and may change from one answer to the next. */
function hashOf(
  { name, title, description, annotations, inputSchema, outputSchema }: ServerTool,
  isOutputFit: boolean,
): string {
  const output = isOutputFit ? outputSchema : 'unfit';
  const said = [name, title, description, annotations, inputSchema, output].map((part) => sorted(part ?? null));
  return createHash('sha256').update(JSON.stringify(said)).digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sorted);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return members.map(([key, member]) => [key, sorted(member)]);
}
