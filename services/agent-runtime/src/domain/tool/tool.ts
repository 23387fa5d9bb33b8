/**
 * What executing a tool does to the world: only what changes nothing may run beside other calls, and what may not be
 * repeated is not. The numbers are those of `spanwise.tool.v1.ToolEffect`.
 */
export const toolEffectNumber = { 'read-only': 1, idempotent: 2, 'non-repeatable': 3 } as const;
export type ToolEffect = keyof typeof toolEffectNumber;

/** What a tool is about. The numbers are those of `spanwise.tool.v1.ToolClass`; `other` is one that is not known here. */
export const toolClassNumber = {
  ...{ other: 0, files: 1, search: 2, interaction: 3, shell: 4 },
  ...{ web: 5, delegation: 6, remote: 7, own: 8 },
} as const;
export type ToolClass = keyof typeof toolClassNumber;

/** A tool that a model can be offered. */
export interface Tool {
  /** Unique; the model calls it by this name. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** What it does and when to use it, for the model. */
  readonly description: string;
  /** JSON Schema (2020-12) of its arguments. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly effect: ToolEffect;
  readonly toolClass: ToolClass;
  /** Changes when its schema or meaning does. */
  readonly version: string;
}

/** A tool as the contract lists it. */
export interface ListedTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchemaJson: string;
  readonly effect: number;
  readonly toolClass: number;
  readonly version: string;
}

/** Reads a tool of the contract. What is not known to be harmless is not. */
export function toolOf({ name, title, description, inputSchemaJson, effect, toolClass, version }: ListedTool): Tool {
  return {
    name,
    title,
    description,
    inputSchema: JSON.parse(inputSchemaJson) as Tool['inputSchema'],
    effect: keyOf(toolEffectNumber, effect) ?? 'non-repeatable',
    toolClass: keyOf(toolClassNumber, toolClass) ?? 'other',
    version,
  };
}

/** The tool as the contract has it; the opposite of {@link toolOf}. */
export function listedTool({ inputSchema, effect, toolClass, ...texts }: Tool): ListedTool {
  return {
    ...texts,
    inputSchemaJson: JSON.stringify(inputSchema),
    effect: toolEffectNumber[effect],
    toolClass: toolClassNumber[toolClass],
  };
}

function keyOf<Key extends string>(numbers: Readonly<Record<Key, number>>, number: number): Key | undefined {
  return (Object.keys(numbers) as Key[]).find((key) => numbers[key] === number);
}
