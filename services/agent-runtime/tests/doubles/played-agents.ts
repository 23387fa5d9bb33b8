import type { Agent } from '../../src/domain/agent/agent.ts';
import { type DelegationLimits, defaultDelegation } from '../../src/domain/delegation/delegation.ts';
import { type Message, role } from '../../src/domain/message/message.ts';
import type { ModelRequest } from '../../src/domain/model/model-request.ts';
import {
  asksFor,
  type ScriptedAnswer,
  type ScriptedCall,
} from '../../src/infrastructure/model-providers/scripted/script.ts';
import type { MemoryTool } from './memory-tool-host.ts';
import { RunWorld, type RunWorldOptions } from './run-world.ts';

/** What an agent answers, turn by turn; for a delegated task it may depend on that. */
export type Part = readonly ScriptedAnswer[] | ((task: string) => readonly ScriptedAnswer[]);

/** Plays agents by name: which answer comes is told by the dialogue alone, so that any dispatch goes on with it. */
export function plays(parts: Readonly<Record<string, Part>>): (request: ModelRequest) => ScriptedAnswer {
  return (request) => {
    const name = agentOf(request);
    const part = parts[name];
    const answers = typeof part === 'function' ? part(taskOf(request)) : part;
    const answer = answers?.[turnsIn(request.messages)];
    if (answer === undefined) {
      throw new Error(`nothing is written for ${name} in turn ${turnsIn(request.messages) + 1}`);
    }
    return answer;
  };
}

/** The agent whose model is asked. */
export function agentOf({ instructions }: ModelRequest): string {
  return /^You are (\S+)\./.exec(instructions)?.[1] ?? '';
}

/** What its dialogue begins with. */
export function taskOf({ messages }: ModelRequest): string {
  const part = messages[0]?.parts[0]?.part;
  return part?.case === 'text' ? part.value.text : '';
}

function turnsIn(messages: readonly Message[]): number {
  return messages.filter((message) => message.role === role.assistant).length;
}

/** An agent that may delegate to others. */
export function delegating(agents: readonly string[], limits: Partial<DelegationLimits> = {}): Partial<Agent> {
  return { delegation: { ...defaultDelegation, agents, ...limits } };
}

/** A call that delegates. */
export function delegate(agent: string, task: string, context?: string): ScriptedCall {
  return { tool: 'delegate', argumentsJson: JSON.stringify({ agent, task, context }) };
}

/** An answer that delegates each of the tasks to `helper`. */
export function delegates(...tasks: readonly string[]): ScriptedAnswer {
  return asksFor(...tasks.map((task) => delegate('helper', task)));
}

export const helper = { name: 'helper', description: 'Helps.' };
export const readTool: MemoryTool = { name: 'read', effect: 'read-only', run: () => 'read it' };
const writeTool: MemoryTool = { name: 'write', effect: 'idempotent', run: () => 'wrote it' };

/** The first dispatch of a run whose agent may delegate to `helper` and to `other`. */
export function delegatingWorld(parts: Readonly<Record<string, Part>>, more: Partial<RunWorldOptions> = {}): RunWorld {
  const agents = [helper, { name: 'other', description: 'Is there too.' }];
  const agent = delegating(['helper', 'other']);
  return new RunWorld({ script: [], play: plays(parts), tools: [readTool, writeTool], agent, agents, ...more });
}
