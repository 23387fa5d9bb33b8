import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelMessage, ModelReply, ModelRequest } from '@spanwise/testing';

const limits = 'limits: { max_turns: 20, timeout_seconds: 300, max_output_tokens: 1000 }';

/** Writes the agents of these tests: `default` may delegate to `worker`, which may delegate as well. */
export function writeAgents(folder: string): void {
  const agent = (name: string, more: string) =>
    writeFileSync(
      join(folder, `${name}.yaml`),
      `name: ${name}\ndescription: Is the ${name}.\nmodel: m\ninstructions: You are {{agent}}.\n${more}\n${limits}\n`,
    );
  agent('default', 'delegates: [worker]');
  agent('worker', 'delegates: [worker]');
}

/** A request as the tests see it: `worker: write a.txt, turn 2`. */
export function asked({ messages }: ModelRequest): string {
  return `${agentOf(messages)}: ${taskOf(messages)}, turn ${turnOf(messages)}`;
}

/**
 * Plays all agents. `default` delegates each of the tasks that the user names, separated by semicolons, in one message, and
 * then says what was answered. `worker` does what its task says, and says what came of it. `wait` is what it waits for
 * before its second answer.
 */
export function delegationModel(wait: (task: string) => Promise<unknown>) {
  return async ({ messages }: ModelRequest): Promise<ModelReply> => {
    const task = taskOf(messages);
    const turn = messages.slice(messages.findLastIndex(({ role }) => role === 'user'));
    const results = turn.filter(({ role }) => role === 'tool').map(textOf);
    if (agentOf(messages) === 'default') {
      const input = (each: string) => ({ agent: 'worker', task: each.trim() });
      return results.length === 0 && task.includes(';')
        ? {
            text: 'I have that done.',
            toolCalls: task.split(';').map((each) => ({ tool: 'delegate', input: input(each) })),
          }
        : { text: results.length === 0 ? `You said: ${task}` : `They said: ${results.join(' | ')}` };
    }
    if (results.length === 0) {
      return { text: 'I am at it.', toolCalls: [callOf(task)] };
    }
    await wait(task);
    return { text: `${task}: ${results.join(' ')}` };
  };
}

function callOf(task: string) {
  const [verb, ...words] = task.split(' ');
  const rest = words.join(' ');
  switch (verb) {
    case 'write':
      return { tool: 'write', input: { path: rest, content: `by ${task}` } };
    case 'read':
      return { tool: 'read', input: { path: rest } };
    case 'ask':
      return { tool: 'ask_user', input: { questions: [{ question: rest }] } };
    default:
      return { tool: 'delegate', input: { agent: 'worker', task: rest } };
  }
}

function agentOf(messages: readonly ModelMessage[]): string {
  const instructions = textOf(messages.find(({ role }) => role === 'system'));
  return /You are (\w+)/.exec(instructions)?.[1] ?? '';
}

/** The last thing that a user, or whoever has delegated, said. */
function taskOf(messages: readonly ModelMessage[]): string {
  return textOf(messages.findLast(({ role }) => role === 'user'));
}

function turnOf(messages: readonly ModelMessage[]): number {
  const turn = messages.slice(messages.findLastIndex(({ role }) => role === 'user'));
  return turn.filter(({ role }) => role === 'assistant').length + 1;
}

function textOf(message: ModelMessage | undefined): string {
  const content = message?.content ?? '';
  return typeof content === 'string' ? content : content.map((part) => ('text' in part ? part.text : '')).join('');
}
