import { defineTool } from '@spanwise/tool-kit';
import type { Tool, ToolContext, ToolEffect, ToolOutput, ToolSuspension } from '@spanwise/tool-kit/contract';
import { z } from 'zod';

export type ProbeWork = (context: ToolContext) => Promise<ToolOutput | ToolSuspension>;

export interface Probe {
  readonly effect: ToolEffect;
  readonly execute: ProbeWork;
  /** Default 30 s. */
  readonly timeoutMs?: number;
  /** Default `probe`. */
  readonly name?: string;
}

/** A tool that does what a test says. */
export function probe({ effect, execute, timeoutMs = 30_000, name = 'probe' }: Probe): Tool {
  return defineTool({
    ...{ name, effect, title: 'Probe', description: 'Probes.', version: '1', toolClass: 'files' },
    limits: { timeoutMs },
    input: z.strictObject({}),
    execute: (_, context) => execute(context),
  });
}

/** A probe that counts how often it is executed, and with which keys. */
export function countingProbe(effect: ToolEffect, work: ProbeWork = () => Promise.resolve({ text: 'done' })) {
  const counted = { count: 0, keys: new Set<string>() };
  const tool = probe({
    effect,
    execute: (context) => {
      counted.count += 1;
      counted.keys.add(context.idempotencyKey);
      return work(context);
    },
  });
  return { counted, tool };
}
