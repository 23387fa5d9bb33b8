import { invariantBroken } from '@spanwise/kernel';
import { z } from 'zod';
import type { ArgumentIssue } from './contract/argument-issue.ts';
import {
  defaultToolLimits,
  type ProviderTool,
  type Tool,
  type ToolClass,
  type ToolEffect,
  type ToolInput,
  type ToolLimits,
  type ToolOutput,
  type ToolSuspension,
  type ToolTarget,
} from './contract/tool.ts';
import type { ProviderToolContext, ToolContext } from './contract/tool-context.ts';

/** A `z.strictObject`: it refuses keys that it does not know. */
type StrictObject = z.ZodObject<z.core.$ZodShape, z.core.$strict>;

/** What a tool tells of itself, whoever executes it. The members are those of {@link Tool}. */
interface Described<Schema extends StrictObject> {
  readonly name: string;
  /** Default: the name. */
  readonly title?: string;
  readonly description: string;
  /** Default `1`. */
  readonly version?: string;
  /** Default `own`. */
  readonly toolClass?: ToolClass;
  readonly effect: ToolEffect;
  readonly input: Schema;
  /** What differs from {@link defaultToolLimits}. */
  readonly limits?: Partial<ToolLimits>;
  readonly defaultDecision?: 'allow' | 'ask';
}

/** A tool whose types and JSON Schema both come from one zod schema. */
export interface ToolDefinition<Schema extends StrictObject, Output> extends Described<Schema> {
  targets?(input: z.output<Schema>): readonly ToolTarget[];
  execute(input: z.output<Schema>, context: ToolContext): Promise<ToolOutput<Output> | ToolSuspension>;
}

/** A tool that can be executed apart from the host. */
export interface ProviderToolDefinition<Schema extends StrictObject, Output> extends Described<Schema> {
  execute(input: z.output<Schema>, context: ProviderToolContext): Promise<ToolOutput<Output> | ToolSuspension>;
}

/**
 * Makes a tool. Throws, which stops the service from starting, when the schema can not be told to a model in full: when
 * a part of it has no form in JSON Schema, or when a rule of its own (`.refine`) vanishes and no description names it.
 */
export function defineTool<Schema extends StrictObject, Output>(
  definition: ToolDefinition<Schema, Output>,
): Tool<z.output<Schema>, Output> {
  return { ...described(definition), execute: (input, context) => definition.execute(input, context) };
}

/**
 * Makes a tool that `serveTools` can serve from a process of its own, and that the host takes as well. It has neither
 * `files`, `reads` and `egress` nor targets. Throws as {@link defineTool} does.
 */
export function defineProviderTool<Schema extends StrictObject, Output>(
  definition: ProviderToolDefinition<Schema, Output>,
): ProviderTool<z.output<Schema>, Output> {
  const execute: ProviderTool<z.output<Schema>, Output>['execute'] = (input, context) =>
    definition.execute(input, context);
  return { ...described(definition), runsApart: true, execute };
}

function described<Schema extends StrictObject, Definition extends Described<Schema>>(
  definition: Definition & Described<Schema>,
) {
  const { name, title = name, version = '1', toolClass = 'own', input: schema, limits } = definition;
  return {
    ...definition,
    ...{ title, version, toolClass },
    limits: { ...defaultToolLimits, ...limits },
    input: zodInput(name, schema),
  };
}

function zodInput<Schema extends StrictObject>(tool: string, schema: Schema): ToolInput<z.output<Schema>> {
  const keys = Object.keys(schema.shape);
  return {
    jsonSchema: jsonSchemaOf(tool, schema),
    parse(value) {
      const parsed = schema.safeParse(value, { reportInput: true });
      return parsed.success
        ? { isValid: true, input: parsed.data }
        : { isValid: false, issues: parsed.error.issues.flatMap((issue) => issuesOf(issue, keys)) };
    },
  };
}

/** Kinds of zod checks that have a form in JSON Schema, or refuse nothing. */
const representable = new Set([
  'less_than',
  'greater_than',
  'multiple_of',
  'number_format',
  'min_length',
  'max_length',
  'length_equals',
  'string_format',
  'overwrite',
]);

function jsonSchemaOf(tool: string, schema: StrictObject): Readonly<Record<string, unknown>> {
  const vanished = new Set<string>();
  const described = new Set<string>();
  let jsonSchema: Record<string, unknown>;
  try {
    jsonSchema = z.toJSONSchema(schema, {
      target: 'draft-2020-12',
      io: 'input',
      override({ zodSchema, jsonSchema, path }) {
        const place = path.join('.');
        const checks = zodSchema._zod.def.checks ?? [];
        if (checks.some((check) => !representable.has(check._zod.def.check))) {
          vanished.add(place);
        }
        if (jsonSchema.description !== undefined) {
          described.add(place);
        }
      },
    });
  } catch (error) {
    throw invariantBroken(`the input of tool ${tool} can not be told as JSON Schema: ${String(error)}`, error);
  }
  const [silent] = [...vanished].filter((place) => !described.has(place));
  if (silent !== undefined) {
    throw invariantBroken(`the input of tool ${tool} has a rule without a description at "${silent}"`);
  }
  if (jsonSchema.additionalProperties !== false) {
    throw invariantBroken(`the input of tool ${tool} is no z.strictObject`);
  }
  return jsonSchema;
}

function issuesOf(issue: z.core.$ZodIssue, keys: readonly string[]): ArgumentIssue[] {
  const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
  if (issue.code === 'unrecognized_keys') {
    const known = path.length === 0 ? ` The keys are: ${keys.join(', ')}.` : '';
    return issue.keys.map((key) => ({
      path: [...path, key],
      kind: 'unknown-key',
      problem: `there is no such key.${known}`,
    }));
  }
  const isMissing = issue.code === 'invalid_type' && issue.input === undefined;
  const problem = isMissing ? `it is missing; expected ${issue.expected}.` : `${issue.message}.`;
  return [{ path, kind: 'bad-value', problem }];
}
