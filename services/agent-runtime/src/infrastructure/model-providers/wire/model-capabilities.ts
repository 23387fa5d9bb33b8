import type { ModelCapabilities } from '../../../domain/model/model-provider.ts';

/** What is taken of a model that the table does not know, for example one of a local server. */
const ordinary: ModelCapabilities = {
  tools: true,
  parallelTools: true,
  vision: false,
  reasoning: false,
  jsonSchema: false,
  contextWindow: 128_000,
  maxOutput: 16_384,
};

/** By the begin of the name; the first that fits. Figures of the providers' model pages, 2026-11. */
const known: readonly [prefix: string, differing: Partial<ModelCapabilities>][] = [
  ['gpt-5', { vision: true, reasoning: true, jsonSchema: true, contextWindow: 400_000, maxOutput: 128_000 }],
  ['gpt-4.1', { vision: true, jsonSchema: true, contextWindow: 1_047_576, maxOutput: 32_768 }],
  ['gpt-4o', { vision: true, jsonSchema: true }],
  ['o3', { vision: true, reasoning: true, jsonSchema: true, contextWindow: 200_000, maxOutput: 100_000 }],
  ['o4', { vision: true, reasoning: true, jsonSchema: true, contextWindow: 200_000, maxOutput: 100_000 }],
  ['gemini-2.0', { vision: true, jsonSchema: true, contextWindow: 1_048_576, maxOutput: 8_192 }],
  ['gemini-', { vision: true, reasoning: true, jsonSchema: true, contextWindow: 1_048_576, maxOutput: 65_536 }],
];

/** What a model can do, by its name. */
export function modelCapabilities(model: string): ModelCapabilities {
  const [, differing] = known.find(([prefix]) => model.startsWith(prefix)) ?? [];
  return { ...ordinary, ...differing };
}
