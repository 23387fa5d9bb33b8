import { noPolicy, parseRule, type ToolPolicy } from '@spanwise/tool-kit/contract';
import { isMap, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import type { Agent } from '../../domain/agent/agent.ts';
import { unknownVariables } from '../../domain/agent/instructions.ts';
import { defaultDelegation } from '../../domain/delegation/delegation.ts';

const names = z.array(z.string().min(1).max(128)).max(128);

const rules = z
  .array(
    z
      .string()
      .max(1024)
      .refine((rule) => parseRule(rule) !== undefined, 'must be the name of a tool, or tool(target)'),
  )
  .max(256)
  .default([]);

/** What an agent file may say. A key that is not here is a typing error, not an option. */
const agentFile = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be lower-case letters, digits and hyphens, 64 at most'),
  description: z.string().trim().min(1).max(1024),
  instructions: z
    .string()
    .trim()
    .min(1)
    .max(64 * 1024)
    .superRefine((template, context) => {
      for (const name of unknownVariables(template)) {
        context.addIssue(`names {{${name}}}, which is no variable: there are {{agent}} and {{date}}`);
      }
    }),
  model: z.string().min(1).max(128),
  tools: z
    .union(
      [
        z.literal('all').transform(() => ({})),
        z.strictObject({
          allow: names.optional(),
          deny: names.optional(),
          rules: z.strictObject({ allow: rules, ask: rules, deny: rules }).optional(),
        }),
      ],
      {
        error: 'must be "all", or have the lists "allow" and "deny", and "rules"',
      },
    )
    .default({}),
  delegates: names.default([]),
  limits: z.strictObject({
    max_turns: z.int().min(1).max(1000),
    timeout_seconds: z.int().min(1).max(86_400),
    max_output_tokens: z.int().min(1).max(1_000_000),
    max_parallel_delegates: z.int().min(1).max(64).default(defaultDelegation.maxParallel),
    max_delegate_depth: z.int().min(1).max(16).default(defaultDelegation.maxDepth),
  }),
});

/** What is wrong with an agent file, and where. */
export interface AgentFileProblem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly problem: string;
}

export type AgentFileContent =
  | {
      readonly isValid: true;
      readonly agent: Agent;
      readonly nameLine: number;
      /** Of each name in `delegates` as the file has them. */
      readonly delegates: readonly { readonly name: string; readonly line: number }[];
    }
  | { readonly isValid: false; readonly problems: readonly AgentFileProblem[] };

/** Reads the text of an agent file. `file` is how problems call it. */
export function parseAgentFile(file: string, text: string): AgentFileContent {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ pos, message }) => ({
      file,
      line: lines.linePos(pos[0]).line,
      problem: message,
    }));
    return { isValid: false, problems };
  }
  const lineOf = (path: readonly PropertyKey[]) => lines.linePos(offsetOf(document.contents, path)).line;
  const parsed = agentFile.safeParse(document.toJS());
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
      return { file, line: lineOf(path), problem: `${path.join('.') || 'file'}: ${issue.message}` };
    });
    return { isValid: false, problems };
  }
  const delegates = parsed.data.delegates.map((name, index) => ({ name, line: lineOf(['delegates', index]) }));
  return { isValid: true, agent: agentOf(parsed.data), nameLine: lineOf(['name']), delegates };
}

interface ToolsOfFile {
  readonly allow?: string[] | undefined;
  readonly deny?: string[] | undefined;
  readonly rules?: ToolPolicy | undefined;
}

function agentOf({
  name,
  description,
  instructions,
  model,
  tools,
  delegates,
  limits,
}: z.infer<typeof agentFile>): Agent {
  const { allow, deny, rules: policy }: ToolsOfFile = tools;
  return {
    name,
    description,
    instructions,
    model,
    tools: { allow: allow ?? 'all', deny: deny ?? [], policy: policy ?? noPolicy },
    limits: {
      maxTurns: limits.max_turns,
      timeoutMs: limits.timeout_seconds * 1000,
      maxOutputTokens: limits.max_output_tokens,
    },
    delegation: {
      agents: [...new Set(delegates)].toSorted(),
      maxParallel: limits.max_parallel_delegates,
      maxDepth: limits.max_delegate_depth,
    },
  };
}

/** Where the key, or the item of a list, at the path is; where what lacks it begins, if it is missing. */
function offsetOf(root: Node | null, path: readonly PropertyKey[]): number {
  let offset = root?.range?.[0] ?? 0;
  let node: unknown = root;
  for (const key of path) {
    if (isSeq<Node>(node) && typeof key === 'number') {
      node = node.items[key];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
      continue;
    }
    const pair = isMap<Node, Node>(node) ? node.items.find((item) => String(item.key) === String(key)) : undefined;
    if (pair === undefined) {
      return offset;
    }
    offset = pair.key.range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}
