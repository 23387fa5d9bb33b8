// Tools of your own in a process of their own:
//
//   SPANWISE_PORT=7010 node packages/examples/src/tool-provider.ts
//   SPANWISE_TOOL_PROVIDERS=billing=http://127.0.0.1:7010 npm start
import { setTimeout as delay } from 'node:timers/promises';
import { DomainError, defineProviderTool } from '@spanwise/tool-kit';
import { serveTools } from '@spanwise/tool-kit/serve';
import { z } from 'zod';

/** In place of your database. */
const orders = new Map([['A-1', { cents: 4200, refunds: [] as string[] }]]);
const order = z.string().describe('Number of the order, for example A-1.');

function find(number: string) {
  const found = orders.get(number);
  if (found === undefined) {
    throw new DomainError('not-found', 'ORDER_NOT_FOUND', `There is no order ${number}. Ask for its number.`);
  }
  return found;
}

const orderStatus = defineProviderTool({
  name: 'order_status',
  description: 'Tells what an order cost and how often it was paid back.',
  effect: 'READ_ONLY',
  input: z.strictObject({ order }),
  async execute({ order: number }) {
    const { cents, refunds } = find(number);
    return { text: `${number}: ${cents} cents, ${refunds.length} refunds`, structured: { cents, refunds } };
  },
});

const refund = defineProviderTool({
  name: 'refund',
  description: 'Pays a whole order back. The bank takes a second.',
  effect: 'NON_REPEATABLE',
  input: z.strictObject({ order }),
  async execute({ order: number }, { idempotencyKey, progress, signal, log }) {
    const { cents, refunds } = find(number);
    progress({ done: 1, total: 2, message: 'The bank was asked.' });
    await delay(1000, undefined, { signal });
    refunds.push(idempotencyKey);
    log.info({ cents }, 'refunded');
    return { text: `${cents} cents were paid back.` };
  },
});

const { url } = await serveTools({ name: 'billing-tools', tools: [orderStatus, refund] });
process.stdout.write(`serving tools at ${url}\n`);
