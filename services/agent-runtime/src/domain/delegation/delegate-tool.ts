import type { Tool } from '../tool/tool.ts';

/** Name of the tool that hands a task to another agent. The runtime has it for itself: tool-host's of that name is never offered. */
export const delegateToolName = 'delegate';

export function isDelegate({ name }: Pick<Tool, 'name'>): boolean {
  return name === delegateToolName;
}

/** The tool as the model of an agent is offered it that may delegate to `agents`, which are sorted by name. */
export function delegateTool(agents: readonly { readonly name: string; readonly description: string }[]): Tool {
  const list = agents.map(({ name, description }) => `- ${name}: ${description}`).join('\n');
  return {
    name: delegateToolName,
    title: 'Delegate',
    description: `Hands a task to another agent, which works on it with tools of its own and answers with a text. It sees the same files, but nothing of this conversation: tell it all that it needs to know. Tasks of one message are worked on at the same time.

The agents:
${list}`,
    inputSchema: {
      type: 'object',
      properties: {
        agent: { type: 'string', enum: agents.map(({ name }) => name), description: 'The agent that gets the task.' },
        task: { type: 'string', minLength: 1, description: 'What it is to do, and what it is to answer with.' },
        context: { type: 'string', description: 'What else it needs to know: facts, paths, results so far.' },
      },
      required: ['agent', 'task'],
      additionalProperties: false,
    },
    // Whoever executes the call again goes on where it was.
    effect: 'idempotent',
    toolClass: 'delegation',
    version: '1',
  };
}
