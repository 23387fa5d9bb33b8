import { etagOf, type PathChange, type PathDifference } from './path-difference.ts';
import { Below, inTreeOrder } from './tree-order.ts';

/** A path that waits to be told. */
export interface PendingPath extends PathDifference {
  /** A directory was there meanwhile that is gone with all that was in it, whatever is there now. */
  readonly isCleared: boolean;
}

/**
 * What waits to be told, merged by path. A path that was touched stays, even when it is again what it was: who has listed
 * the directory in between has seen something else. A directory that is gone stands for all that was in it.
 */
export class PendingChanges {
  readonly #paths = new Map<string, PendingPath>();

  get size(): number {
    return this.#paths.size;
  }

  /** Each directory before what is in it. */
  get paths(): readonly PendingPath[] {
    return inTreeOrder(this.#paths.values());
  }

  /** Adds what one change, or several together, have touched. What is added later has happened later. */
  add(differences: readonly (PathDifference & Partial<PendingPath>)[]): void {
    const earlier = [...this.#paths.keys()];
    const gone = new Below();
    for (const difference of inTreeOrder(differences)) {
      const top = gone.topOf(difference.path);
      if (top !== undefined) {
        this.#clear(top.text);
        continue;
      }
      this.#touch(difference, earlier);
      if (difference.after?.kind !== 'directory') {
        gone.name(difference.path);
      }
    }
  }

  /** All that waits, as it is told: changes of several paths are in one answer. Afterwards nothing waits. */
  take(): PathChange[] {
    const changes = this.paths.flatMap(changesOf);
    this.#paths.clear();
    return changes;
  }

  #touch({ path, before, after, isCleared = false }: PathDifference & Partial<PendingPath>, earlier: string[]): void {
    const known = this.#paths.get(path.text);
    const isEnd = after?.kind !== 'directory';
    const held = isEnd ? earlier.filter((each) => each.startsWith(`${path.text}/`)) : [];
    const dropped = held.filter((each) => this.#paths.delete(each));
    const wasDirectory = isEnd && before?.kind === 'directory';
    this.#paths.set(path.text, {
      path,
      before: known === undefined ? before : known.before,
      after,
      isCleared: isCleared || known?.isCleared === true || wasDirectory || dropped.length > 0,
    });
  }

  #clear(path: string): void {
    const pending = this.#paths.get(path);
    if (pending !== undefined) {
      this.#paths.set(path, { ...pending, isCleared: true });
    }
  }
}

function changesOf({ path, before, after, isCleared }: PendingPath): PathChange[] {
  const deleted: PathChange = { path, kind: 'DELETED', etag: '' };
  if (after === undefined) {
    return [deleted];
  }
  const etag = etagOf(after);
  if (isCleared || (before !== undefined && before.kind !== after.kind)) {
    return [deleted, { path, kind: 'ADDED', etag }];
  }
  return [{ path, kind: before === undefined ? 'ADDED' : 'MODIFIED', etag }];
}
