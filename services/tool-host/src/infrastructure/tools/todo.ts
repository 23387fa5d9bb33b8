import { defineTool, wellFormedText } from '@spanwise/tool-kit';
import { z } from 'zod';

const maxItems = 100;

const item = z.strictObject({
  content: wellFormedText('What is to be done, in a few words.').min(1).max(1000),
  status: z.enum(['pending', 'in_progress', 'completed']).describe('Where it stands.'),
});

const marks = { pending: '[ ]', in_progress: '[>]', completed: '[x]' } as const;

export const todoTool = defineTool({
  name: 'todo',
  title: 'Task list',
  description: `Keeps the list of tasks of longer work. Each call gives the whole list and replaces the one before; the \
answer shows it. At most one task is in_progress. Not needed for work of one or two steps.`,
  version: '1',
  // Nobody has to be there to answer it, so that it is none of `interaction`.
  toolClass: 'own',
  effect: 'IDEMPOTENT',
  input: z.strictObject({
    todos: z
      .array(item)
      .max(maxItems)
      .refine(
        (items) => items.filter(({ status }) => status === 'in_progress').length <= 1,
        'more than one task is in_progress: choose the one that is being worked on',
      )
      .describe('The whole list, in order; empty to clear it. At most one task is in_progress.'),
  }),
  async execute({ todos }) {
    const open = todos.filter(({ status }) => status !== 'completed').length;
    const summary = todos.length === 0 ? 'The list is empty.' : `${open} of ${todos.length} to do.`;
    return {
      text: [summary, ...todos.map(({ content, status }) => `${marks[status]} ${content}`)].join('\n'),
      structured: { todos },
    };
  },
});
