/** A rule of a policy: the name of a tool, and perhaps what its call touches. `*` stands for anything. */
export interface ToolRule {
  /** As it was written. */
  readonly text: string;
  readonly tool: string;
  /** Undefined: any call of the tool. */
  readonly target: string | undefined;
}

/** Reads `tool` or `tool(target)`; undefined when it is neither. */
export function parseRule(text: string): ToolRule | undefined {
  const [, tool, , target] = /^([\w*-]{1,128})(\(([^]*)\))?$/.exec(text) ?? [];
  return tool === undefined || target === '' ? undefined : { text, tool, target };
}

/** Whether the name of a tool is one that the rule speaks of. */
export function namesTool({ tool }: ToolRule, name: string): boolean {
  return matchesWild(tool, name);
}

/** Which calls of tools are executed, asked for or refused: `spanwise.type.v1.ToolPolicy`. */
export interface ToolPolicy {
  readonly allow: readonly string[];
  readonly ask: readonly string[];
  readonly deny: readonly string[];
}

export const noPolicy: ToolPolicy = { allow: [], ask: [], deny: [] };

/** All rules of several policies: their order does not matter. */
export function joinPolicies(...policies: readonly ToolPolicy[]): ToolPolicy {
  const all = (kind: keyof ToolPolicy) => [...new Set(policies.flatMap((policy) => policy[kind]))];
  return { allow: all('allow'), ask: all('ask'), deny: all('deny') };
}

/** `*` stands for any number of those characters that `isInside` admits. In time that is the product of both lengths. */
export function matchesWild(pattern: string, text: string, isInside: (char: string) => boolean = () => true): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p;
      resume = t;
      p += 1;
    } else if (p < pattern.length && pattern[p] === text[t]) {
      p += 1;
      t += 1;
    } else if (star !== -1 && isInside(text.charAt(resume))) {
      resume += 1;
      t = resume;
      p = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') {
    p += 1;
  }
  return p === pattern.length;
}
