import type { CommandNode, ScriptNode } from 'just-bash';
import { MountableFs } from 'just-bash';
import { FileFailure } from './channel.ts';

type Redirections = Extract<CommandNode, { type: 'SimpleCommand' }>['redirections'];

/** Redirections that open a file to write. */
const writing = new Set<Redirections[number]['operator']>(['>', '>>', '>|', '&>', '&>>', '<>']);
/** Not one that scripts use. */
const guardFd = 199;

/**
 * A file that can not be written ends a whole script when it is the target of a redirection: the shell takes it for a fault of its
 * own. It can deal with a target that can not be looked at. So before each such redirection another is put, into a file whose
 * opening says: what is looked for next is about to be written. Changes the script in place.
 */
export function guardRedirections(script: ScriptNode, guardPath: string): void {
  const guard: Redirections[number] = {
    type: 'Redirection',
    fd: guardFd,
    operator: '>>',
    target: { type: 'Word', parts: [{ type: 'Literal', value: guardPath }] },
  };
  // Not by recursion: a script may be nested deeply.
  const rest: unknown[] = [script];
  while (rest.length > 0) {
    const node = rest.pop();
    if (typeof node !== 'object' || node === null) {
      continue;
    }
    if ('redirections' in node && Array.isArray(node.redirections)) {
      const redirections = node.redirections as Redirections;
      node.redirections = redirections.flatMap((each) => (writing.has(each.operator) ? [guard, each] : [each]));
    }
    rest.push(...Object.values(node).filter((value) => value !== guard));
  }
}

/** The files of a command. Refuses to look at what can not be written when it is about to be. */
export class GuardedFileSystem extends MountableFs {
  readonly #isReadOnly: (path: string) => boolean;
  #isGuarded = false;

  constructor(isReadOnly: (path: string) => boolean, options: ConstructorParameters<typeof MountableFs>[0]) {
    super(options);
    this.#isReadOnly = isReadOnly;
  }

  /** The file that is looked for next is about to be written. */
  guardNext(): void {
    this.#isGuarded = true;
  }

  override async exists(path: string): Promise<boolean> {
    const isGuarded = this.#isGuarded;
    this.#isGuarded = false;
    if (isGuarded && this.#isReadOnly(path)) {
      throw new FileFailure('EROFS', `read-only file system, open '${path}'`);
    }
    return super.exists(path);
  }
}
