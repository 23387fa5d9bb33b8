import { isMap, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import type { Agent } from '../../domain/agent/agent.ts';
import { unknownVariables } from '../../domain/agent/instructions.ts';

const names = z.array(z.string().min(1).max(128)).max(128);

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
      [z.literal('all').transform(() => ({})), z.strictObject({ allow: names.optional(), deny: names.optional() })],
      {
        error: 'must be "all", or have the lists "allow" and "deny"',
      },
    )
    .default({}),
  limits: z.strictObject({
    max_turns: z.int().min(1).max(1000),
    timeout_seconds: z.int().min(1).max(86_400),
    max_output_tokens: z.int().min(1).max(1_000_000),
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
  | { readonly isValid: true; readonly agent: Agent; readonly nameLine: number }
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
  return { isValid: true, agent: agentOf(parsed.data), nameLine: lineOf(['name']) };
}

function agentOf({ name, description, instructions, model, tools, limits }: z.infer<typeof agentFile>): Agent {
  const { allow, deny }: { allow?: string[] | undefined; deny?: string[] | undefined } = tools;
  return {
    name,
    description,
    instructions,
    model,
    tools: { allow: allow ?? 'all', deny: deny ?? [] },
    limits: {
      maxTurns: limits.max_turns,
      timeoutMs: limits.timeout_seconds * 1000,
      maxOutputTokens: limits.max_output_tokens,
    },
  };
}

/** Where the key at the path is; where the map that lacks it begins, if it is missing. */
function offsetOf(root: Node | null, path: readonly PropertyKey[]): number {
  let offset = root?.range?.[0] ?? 0;
  let node: unknown = root;
  for (const key of path) {
    const pair = isMap<Node, Node>(node) ? node.items.find((item) => String(item.key) === String(key)) : undefined;
    if (pair === undefined) {
      return offset;
    }
    offset = pair.key.range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}
