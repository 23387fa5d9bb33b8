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

/** Tells the rule that keeps a command from a path; undefined when none does. */
export type PathRules = (target: ToolTarget) => string | undefined;

/**
 * The rules for `read(…)` or `write(…)` that deny paths, or ask for them, read once for the thousands of files that a command
 * may touch: nobody can be asked in the middle of it.
 */
export function pathRules({ deny, ask }: ToolPolicy): PathRules {
  const rules = [...deny, ...ask].map((text) => ({ text, rule: parseRule(text) }));
  const limiting = rules.filter(({ rule }) => rule === undefined || rule.target !== undefined);
  return (target) =>
    limiting.find(({ rule }) => rule === undefined || (namesTool(rule, target.access) && touches(rule, target)))?.text;
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
