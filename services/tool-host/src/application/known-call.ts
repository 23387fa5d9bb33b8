import type { Tool, ToolTarget } from '@spanwise/tool-kit/contract';

/** A tool, arguments that fit it, and what the call touches with them. */
export interface KnownCall {
  readonly tool: Tool;
  readonly input: unknown;
  readonly targets: readonly ToolTarget[];
}

/** Asks the tool what it touches, once: it may have to read all of its arguments for it. Throws what the tool has against them. */
export function knownCall(tool: Tool, input: unknown): KnownCall {
  return { tool, input, targets: tool.targets?.(input) ?? [] };
}
