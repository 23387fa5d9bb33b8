import { expect, test } from 'vitest';
import { ToolBench } from '../../../tests/tool-calls.ts';

const todo = (content: string, status: string) => ({ content, status });

test('shows the list as it is now', async () => {
  const todos = [todo('Read', 'completed'), todo('Write $&', 'in_progress'), todo('Test', 'pending')];
  const { result } = await new ToolBench().call('todo', { todos });
  expect(result).toMatchObject({ outcome: 'ok', text: '2 of 3 to do.\n[x] Read\n[>] Write $&\n[ ] Test' });
  expect(JSON.parse(result.structuredJson)).toEqual({ todos });
});

test('takes an empty list', async () => {
  expect(await new ToolBench().text('todo', { todos: [] })).toBe('The list is empty.');
});

test('works when nobody is there to be asked, and touches no file', async () => {
  const bench = new ToolBench();
  const { result } = await bench.call('todo', { todos: [todo('Read', 'pending')] }, { isInteractive: false });
  expect([result.outcome, bench.files.calls]).toEqual(['ok', []]);
});

test.each([
  ['two tasks in progress', [todo('a', 'in_progress'), todo('b', 'in_progress')], 'more than one task is in_progress'],
  ['another status', [todo('a', 'done')], 'todos[0].status'],
  ['a task without words', [todo('', 'pending')], 'todos[0].content'],
  ['more than 100 tasks', Array.from({ length: 101 }, () => todo('a', 'pending')), 'todos'],
])('refuses %s', async (_, todos, text) => {
  const { result } = await new ToolBench().call('todo', { todos });
  expect(result).toMatchObject({ outcome: 'error', text: expect.stringContaining(text) });
});
