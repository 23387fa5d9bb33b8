import type { CommandNode, ScriptNode, StatementNode, WordNode } from 'just-bash';
import { FunctionUses } from './function-uses.ts';

type Redirections = Extract<CommandNode, { type: 'SimpleCommand' }>['redirections'];

/** Files that append to the output of a command: its standard output and its errors. */
export interface OutputPaths {
  readonly stdout: string;
  readonly stderr: string;
}

/** Redirections of these would stay after them, or are what they were called for. */
const redirecting = new Set(['exec', 'builtin', 'command']);

/**
 * The shell tells what a script puts out at its end only; then what a script that is killed has put out is lost. So each
 * simple command whose output is that of the script gets redirections to files that put it out at once. What is captured or
 * redirected stays as it is: the redirections of a script come after those that are added, and win.
 *
 * The body of a function is done likewise when nothing captures what it puts out; else a call puts out when it ends.
 */
export function streamOutput(script: ScriptNode, paths: OutputPaths): ScriptNode {
  const uses = new FunctionUses(script);
  return { ...script, statements: new OutputStreaming(paths, uses).statements(script.statements) };
}

class OutputStreaming {
  readonly #added: Redirections;
  readonly #uses: FunctionUses;

  constructor(paths: OutputPaths, uses: FunctionUses) {
    this.#added = [redirection(1, paths.stdout), redirection(2, paths.stderr)];
    this.#uses = uses;
  }

  statements(statements: readonly StatementNode[]): StatementNode[] {
    return statements.map((statement) => ({
      ...statement,
      pipelines: statement.pipelines.map((pipeline) => ({
        ...pipeline,
        commands: pipeline.commands.map((command, index) =>
          index === pipeline.commands.length - 1 ? this.#command(command) : command,
        ),
      })),
    }));
  }

  #command(command: CommandNode): CommandNode {
    if (command.type === 'FunctionDef') {
      const isStreamed = command.redirections.length === 0 && this.#uses.isNeverCaptured(command.name);
      return isStreamed ? { ...command, body: this.#compound(command.body) } : command;
    }
    if (command.type !== 'SimpleCommand') {
      return this.#compound(command);
    }
    const name = literalOf(command.name);
    if (command.name === null || name === undefined || redirecting.has(name)) {
      return command;
    }
    return { ...command, redirections: [...this.#added, ...command.redirections] };
  }

  #compound<Command extends Exclude<CommandNode, { type: 'SimpleCommand' | 'FunctionDef' }>>(
    command: Command,
  ): Command {
    if (command.redirections.length > 0) {
      return { ...command, redirections: [...this.#added, ...command.redirections] };
    }
    switch (command.type) {
      case 'If': {
        const clauses = command.clauses.map(({ condition, body }) => ({
          condition: this.statements(condition),
          body: this.statements(body),
        }));
        const elseBody = command.elseBody === null ? null : this.statements(command.elseBody);
        return { ...command, clauses, elseBody };
      }
      case 'While':
      case 'Until':
        return { ...command, condition: this.statements(command.condition), body: this.statements(command.body) };
      case 'Case':
        return { ...command, items: command.items.map((item) => ({ ...item, body: this.statements(item.body) })) };
      case 'For':
      case 'CStyleFor':
      case 'Subshell':
      case 'Group':
        return { ...command, body: this.statements(command.body) };
      default:
        return command;
    }
  }
}

/** The text of a word that is nothing else, as names of commands are; undefined when it is expanded. */
function literalOf(word: WordNode | null): string | undefined {
  const [part, ...more] = word?.parts ?? [];
  return part?.type === 'Literal' && more.length === 0 ? part.value : undefined;
}

function redirection(fd: number, path: string): Redirections[number] {
  return {
    type: 'Redirection',
    fd,
    operator: '>>',
    target: { type: 'Word', parts: [{ type: 'Literal', value: path }] },
  };
}
