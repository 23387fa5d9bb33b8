import { isMap, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { ToolServer } from './tool-server.ts';
import { type ToolServerProblem, toolServersInvalid } from './tool-server-errors.ts';
import { type ToolServerEntry, toolServersFile } from './tool-server-schema.ts';

/** Variables of this process, as far as the file names them. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the text of `tool-servers.yaml`. `name` is how errors call the file. Throws INVALID_FIELD with file and line of
 * everything that is wrong: either all servers are read or none.
 */
export function parseToolServers(name: string, text: string, variables: Variables): readonly ToolServer[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeOf = (offset: number) => `${name}:${lines.linePos(offset).line}`;
  if (document.errors.length > 0) {
    throw toolServersInvalid(document.errors.map(({ pos, message }) => ({ place: placeOf(pos[0]), problem: message })));
  }
  const parsed = toolServersFile.safeParse(document.toJS() ?? {});
  const placeAt = (path: readonly PropertyKey[]) => placeOf(offsetOf(document.contents, path));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
      return { place: placeAt(path), problem: `${path.join('.') || 'file'}: ${issue.message}` };
    });
    throw toolServersInvalid(problems);
  }
  const problems: ToolServerProblem[] = [];
  const names = new Set<string>();
  const servers = parsed.data.servers.map((entry, index) => {
    const missing = (path: readonly PropertyKey[], problem: string) =>
      problems.push({
        place: placeAt(['servers', index, ...path]),
        problem: `servers.${index}.${path.join('.')}: ${problem}`,
      });
    if (names.has(entry.name)) {
      missing(['name'], `another server is called ${entry.name} too`);
    }
    names.add(entry.name);
    return serverOf(entry, variables, missing);
  });
  if (problems.length > 0) {
    throw toolServersInvalid(problems);
  }
  return servers;
}

type Missing = (path: readonly PropertyKey[], problem: string) => void;

function serverOf(entry: ToolServerEntry, variables: Variables, missing: Missing): ToolServer {
  const { name, tools, pin, pinned } = entry;
  return {
    ...{ name, pin, pinned },
    connection: entry.kind === 'mcp-http' ? httpOf(entry, variables, missing) : stdioOf(entry, variables, missing),
    effects: entry.effect,
    trustsAnnotations: entry.trust_annotations,
    tools: { allow: tools.allow ?? ['*'], deny: tools.deny ?? [] },
    defaultDecision: entry.default,
    timeoutMs: entry.timeout_seconds * 1000,
    outputBytes: entry.output_bytes,
  };
}

function httpOf(
  { url, auth }: Extract<ToolServerEntry, { readonly kind: 'mcp-http' }>,
  variables: Variables,
  missing: Missing,
): ToolServer['connection'] {
  if (typeof auth === 'string') {
    return { kind: 'mcp-http', url, auth: { kind: auth } };
  }
  const token = variables[auth.bearer_env] ?? '';
  if (token === '') {
    missing(['auth', 'bearer_env'], `the variable ${auth.bearer_env} is not set`);
  }
  return { kind: 'mcp-http', url, auth: { kind: 'bearer', token } };
}

function stdioOf(
  { command, args, env }: Extract<ToolServerEntry, { readonly kind: 'mcp-stdio' }>,
  variables: Variables,
  missing: Missing,
): ToolServer['connection'] {
  const values = Object.entries(env).map(([name, value]): [string, string] => {
    if (typeof value === 'string') {
      return [name, value];
    }
    const found = variables[value.from_env];
    if (found === undefined) {
      missing(['env', name, 'from_env'], `the variable ${value.from_env} is not set`);
    }
    return [name, found ?? ''];
  });
  return { kind: 'mcp-stdio', command, args, env: Object.fromEntries(values) };
}

/** Where the value at the path is; where what lacks it begins, if it is missing. */
function offsetOf(root: Node | null, path: readonly PropertyKey[]): number {
  let offset = root?.range?.[0] ?? 0;
  let node: unknown = root;
  for (const key of path) {
    if (isMap<Node, Node>(node)) {
      const pair = node.items.find((item) => String(item.key) === String(key));
      if (pair === undefined) {
        return offset;
      }
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq<Node>(node) && typeof key === 'number' && node.items[key] !== undefined) {
      node = node.items[key];
      offset = (node as Node).range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}
