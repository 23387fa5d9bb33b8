import { namesTool, parseRule, type ToolPolicy, type ToolRule, type ToolTarget } from '@spanwise/tool-kit/contract';
import { covers, touches } from './tool-rule.ts';

export interface PolicyVerdict {
  readonly decision: 'allow' | 'ask' | 'deny';
  /** The rule that decided; empty when it was the tool's default. */
  readonly rule: string;
}

/** What a call is asked about. */
export interface RuledCall {
  readonly tool: string;
  readonly defaultDecision: 'allow' | 'ask';
  readonly targets: readonly ToolTarget[];
}

/**
 * Denying beats asking beats allowing, whatever the order of the rules. Rules that deny or ask match when they match
 * anything that is touched; those that allow, when together they match all of it. A rule that can not be read is taken for
 * one that denies or asks for everything, and allows nothing. What `read(…)` and `write(…)` say of a path when they deny or
 * ask holds for every tool that reads or writes there: else `move` would get around a rule for `write`.
 */
export function decide(policy: ToolPolicy, call: RuledCall): PolicyVerdict {
  const denying = policy.deny.find((rule) => isTouched(rule, call));
  if (denying !== undefined) {
    return { decision: 'deny', rule: denying };
  }
  const asking = policy.ask.find((rule) => isTouched(rule, call));
  if (asking !== undefined) {
    return { decision: 'ask', rule: asking };
  }
  const allowing = allowingRule(policy.allow, call);
  return allowing === undefined ? { decision: call.defaultDecision, rule: '' } : { decision: 'allow', rule: allowing };
}

/**
 * The rule for `read(…)` or `write(…)` that denies a path, or asks for it; undefined when there is none. For what a command
 * does to files: nobody can be asked in the middle of it.
 */
export function refusalOfPath({ deny, ask }: ToolPolicy, target: ToolTarget): string | undefined {
  return [...deny, ...ask].find((text) => {
    const rule = parseRule(text);
    return rule === undefined || (rule.target !== undefined && namesTool(rule, target.access) && touches(rule, target));
  });
}

function isTouched(text: string, { tool, targets }: RuledCall): boolean {
  const rule = parseRule(text);
  if (rule === undefined) {
    return true;
  }
  if (namesTool(rule, tool)) {
    return rule.target === undefined || targets.some((target) => touches(rule, target));
  }
  const isMeant = ({ kind, access }: ToolTarget) =>
    kind === 'path' && rule.target !== undefined && namesTool(rule, access);
  return targets.some((target) => isMeant(target) && touches(rule, target));
}

function allowingRule(rules: readonly string[], { tool, targets }: RuledCall): string | undefined {
  const naming = rules.map(parseRule).filter((rule) => rule !== undefined && namesTool(rule, tool)) as ToolRule[];
  const whole = naming.find(({ target }) => target === undefined);
  if (whole !== undefined) {
    return whole.text;
  }
  const covering = targets.map((target) => naming.find((rule) => covers(rule, target)));
  return covering.includes(undefined) ? undefined : covering[0]?.text;
}
