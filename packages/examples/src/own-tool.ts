// A tool of your own, in the process of tool-host:
//
//   SPANWISE_TOOLS=./packages/examples/src/own-tool.ts npm start
import { defineTool } from '@spanwise/tool-kit';
import { z } from 'zod';

const weekdays = defineTool({
  name: 'weekdays',
  description: 'Counts the days from Monday to Friday from one date up to another, which is not counted itself.',
  effect: 'READ_ONLY',
  input: z.strictObject({ from: z.iso.date(), to: z.iso.date() }),
  async execute({ from, to }) {
    let days = 0;
    for (let day = new Date(from); day < new Date(to); day.setUTCDate(day.getUTCDate() + 1)) {
      days += day.getUTCDay() % 6 === 0 ? 0 : 1;
    }
    return { text: `${days} weekdays`, structured: { days } };
  },
});

export const tools = [weekdays];
