import type { SentMount } from '../messages.ts';

/** Folders that the shell has itself. */
const own = new Set(['bin', 'dev', 'proc', 'tmp', 'usr']);
const workspace: SentMount = { path: '/workspace', isReadOnly: false };

/** What a view is made of: which folders a command sees in its root, and where it may change something. */
export class ViewMounts {
  readonly #mounts: readonly SentMount[];

  constructor(mounts: readonly SentMount[]) {
    // The nearest one counts.
    this.#mounts = [...mounts, workspace].sort((a, b) => b.path.length - a.path.length);
  }

  /** `/` and one segment each. */
  roots(): readonly string[] {
    const segments = this.#mounts.map(({ path }) => path.split('/')[1] ?? '');
    return [...new Set(segments)].filter((segment) => segment !== '' && !own.has(segment)).map((name) => `/${name}`);
  }

  /** Nothing can be changed there: it is in a mount that is read-only, or in the view but in no mount. */
  isReadOnly(path: string): boolean {
    const isIn = (folder: string) => path === folder || path.startsWith(`${folder}/`);
    const mount = this.#mounts.find(({ path: folder }) => isIn(folder));
    return mount?.isReadOnly ?? this.roots().some(isIn);
  }
}
