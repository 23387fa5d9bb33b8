import { defineTool, type Tool } from '@spanwise/tool-kit';
import { z } from 'zod';

/** A tool that does nothing: what a call of it costs is the cost of a call. */
function idle(name: string, effect: Tool['effect']): Tool {
  return defineTool({
    ...{ name, effect, description: 'Does nothing.' },
    input: z.strictObject({ text: z.string().default('') }),
    execute: async () => ({ text: 'done' }),
  });
}

/** Given to tool-host by `SPANWISE_TOOLS`. */
export const tools = [idle('idle_read', 'READ_ONLY'), idle('idle_once', 'NON_REPEATABLE')];
