import { matchesWild, namesTool, parseRule, type ToolPolicy } from '@spanwise/tool-kit/contract';
import { delegateToolName } from './delegate-tool.ts';

/**
 * The rule that keeps a task from being delegated; undefined when there is none. A rule that asks does so, too: what is asked
 * is what the other agent then does.
 */
export function ruleAgainst({ deny, ask }: ToolPolicy, argumentsJson: string): string | undefined {
  const agent = agentOf(argumentsJson);
  return [...deny, ...ask].find((text) => {
    const rule = parseRule(text);
    const isMeant = rule === undefined || namesTool(rule, delegateToolName);
    return isMeant && (rule?.target === undefined || matchesWild(rule.target, agent));
  });
}

/** Empty when the arguments name none. */
function agentOf(argumentsJson: string): string {
  try {
    const value: unknown = JSON.parse(argumentsJson);
    return typeof value === 'object' && value !== null && 'agent' in value ? String(value.agent) : '';
  } catch {
    return '';
  }
}
