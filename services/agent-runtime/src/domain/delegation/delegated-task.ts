import { excerpt } from '@spanwise/kernel';
import { type Message, role } from '../message/message.ts';

/** What a delegate call asks for. */
export interface DelegatedTask {
  readonly agent: string;
  readonly task: string;
  /** Empty when there is none. */
  readonly context: string;
}

/** The task of a call's arguments, or what is wrong with them, for the model. `agents` are those that it may choose from. */
export function delegatedTask(
  argumentsJson: string,
  agents: readonly string[],
): DelegatedTask | { readonly problem: string } {
  const input = objectOf(argumentsJson);
  if (input === undefined) {
    return { problem: 'The arguments are no JSON object. They are: agent, task, and context if it is needed.' };
  }
  const { agent, task, context = '', ...others } = input;
  const [unknown] = Object.keys(others);
  if (typeof agent !== 'string' || !agents.includes(agent)) {
    const named = typeof agent === 'string' ? `is ${excerpt(agent)}, and` : 'must be a string:';
    return { problem: `agent ${named} there are only: ${agents.join(', ')}.` };
  }
  if (typeof task !== 'string' || task.trim() === '') {
    return { problem: 'task must be a string that says what is to be done.' };
  }
  if (typeof context !== 'string') {
    return { problem: 'context must be a string.' };
  }
  return unknown === undefined
    ? { agent, task, context }
    : { problem: `${excerpt(unknown)} is no argument. They are: agent, task, and context if it is needed.` };
}

/** What the dialogue of a delegated task begins with. */
export function taskMessage(id: string, runId: string, { task, context }: DelegatedTask): Message {
  const text = context.trim() === '' ? task : `${task}\n\nContext:\n${context}`;
  return { id, role: role.user, runId, parts: [{ part: { case: 'text', value: { text } } }] };
}

function objectOf(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
