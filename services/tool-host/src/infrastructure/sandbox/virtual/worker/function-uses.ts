import type { ScriptNode } from 'just-bash';

/** Commands that run others whose names can not be seen here. */
const running = new Set(['eval', 'source', '.', 'xargs', 'find', 'command', 'builtin', 'timeout', 'time']);

interface Node {
  readonly type?: unknown;
  readonly [key: string]: unknown;
}

/** In which places a script uses its functions. */
export class FunctionUses {
  readonly #captured = new Set<string>();
  /** A name that is known only when the script runs is called where output is captured: it may be that of any function. */
  #isUnclear = false;

  constructor(script: ScriptNode) {
    this.#visit(script, false);
    // What a captured function calls is captured as well.
    for (let before = -1; before < this.#captured.size; ) {
      before = this.#captured.size;
      this.#visitBodies(script);
    }
  }

  /** Whether what the function puts out is that of the script, wherever it is called. */
  isNeverCaptured(name: string): boolean {
    return !this.#isUnclear && !this.#captured.has(name);
  }

  #visitBodies(value: unknown): void {
    each(value, (node) => {
      if (node.type === 'FunctionDef' && this.#captured.has(String(node.name))) {
        this.#visit(node.body, true);
      }
      this.#visitBodies(Object.values(node));
    });
  }

  #visit(value: unknown, isCaptured: boolean): void {
    each(value, (node) => {
      if (node.type === 'FunctionDef') {
        // Its body is where it is called.
        this.#visit(node.body, isRedirected(node));
        return;
      }
      if (node.type === 'SimpleCommand') {
        this.#call(node, isCaptured || isRedirected(node));
      }
      if (node.type === 'Pipeline') {
        const commands = node.commands as readonly Node[];
        commands.forEach((command, index) => this.#visit(command, isCaptured || index < commands.length - 1));
        return;
      }
      const captures = node.type === 'CommandSubstitution' || node.type === 'ProcessSubstitution' || isRedirected(node);
      this.#visit(Object.values(node), isCaptured || captures);
    });
  }

  #call(node: Node, isCaptured: boolean): void {
    if (!isCaptured || node.name === null) {
      return;
    }
    const { parts } = node.name as { readonly parts: readonly Node[] };
    const [part] = parts;
    const name = parts.length === 1 && part?.type === 'Literal' ? String(part.value) : undefined;
    if (name === undefined || running.has(name)) {
      this.#isUnclear = true;
    } else {
      this.#captured.add(name);
    }
  }
}

function isRedirected({ redirections }: Node): boolean {
  return Array.isArray(redirections) && redirections.length > 0;
}

/** The nodes of a value: itself, or those in a list. */
function each(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) {
    value.forEach((item) => each(item, visit));
  } else if (typeof value === 'object' && value !== null) {
    visit(value as Node);
  }
}
