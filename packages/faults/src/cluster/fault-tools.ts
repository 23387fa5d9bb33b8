import { setTimeout as delay } from 'node:timers/promises';
import type { ToolHostOverrides } from '@spanwise/tool-host/composition-root';
import { z } from 'zod';
import type { EffectFile } from './effect-file.ts';

/** Where the tools write down what they do. */
type Effects = Pick<EffectFile, 'write'>;

export type Tool = NonNullable<ToolHostOverrides['tools']>[number];
type Context = Parameters<Tool['execute']>[1];

/** Between two lines of a tool that takes its time. */
const tickMs = 100;
/** Longer than any tool of the suite is told to take. */
const timeoutMs = 300_000;

const input = z.strictObject({
  label: z.string().optional(),
  ms: z.number().int().min(0).max(timeoutMs).optional(),
});
type Input = z.output<typeof input>;

/** Tools whose effects can be counted. */
export function faultTools(effects: Effects): readonly Tool[] {
  const make = (name: string, effect: Tool['effect'], execute: (input: Input, context: Context) => Promise<void>) =>
    toolOf(name, effect, async (given, context) => {
      effects.write(name, context.idempotencyKey, 'begin');
      await execute(given, context);
      effects.write(name, context.idempotencyKey, 'end');
    });
  const briefly = async ({ ms = 0 }: Input, { signal }: Context) => {
    await delay(ms, undefined, { signal });
  };
  const slowly = async ({ ms = 1000 }: Input, { signal, idempotencyKey }: Context) => {
    await tick(effects, 'slow', idempotencyKey, ms, signal);
  };
  const deafly = ({ ms = 1000 }: Input, { idempotencyKey }: Context) => tick(effects, 'stubborn', idempotencyKey, ms);
  return [
    make('effect', 'NON_REPEATABLE', briefly),
    make('effect_idempotent', 'IDEMPOTENT', briefly),
    make('effect_read', 'READ_ONLY', briefly),
    make('slow', 'NON_REPEATABLE', slowly),
    make('stubborn', 'NON_REPEATABLE', deafly),
  ];
}

async function tick(effects: Effects, kind: string, key: string, ms: number, signal?: AbortSignal): Promise<void> {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs) {
    await delay(Math.min(tickMs, untilMs - performance.now()), undefined, { signal });
    effects.write(kind, key, 'tick');
  }
}

function toolOf(
  name: string,
  effect: Tool['effect'],
  execute: (input: Input, context: Context) => Promise<void>,
): Tool {
  return {
    name,
    title: name,
    description: 'Writes what it does into the file of effects.',
    version: '1',
    toolClass: 'files',
    effect,
    limits: { timeoutMs, outputLines: 100, outputBytes: 4096 },
    input: { jsonSchema: z.toJSONSchema(input) as Readonly<Record<string, unknown>>, parse: parseInput },
    async execute(given, context) {
      await execute(given as Input, context);
      return { text: `${name} done` };
    },
  };
}

function parseInput(value: unknown) {
  const parsed = input.safeParse(value);
  return parsed.success
    ? ({ isValid: true, input: parsed.data } as const)
    : ({
        isValid: false,
        issues: [{ path: [], kind: 'bad-value', problem: 'it is not what the tool takes.' }],
      } as const);
}
