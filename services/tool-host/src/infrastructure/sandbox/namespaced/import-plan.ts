import type { GivenMount } from './given-files.ts';
import type { LeftFiles } from './left-files.ts';
import { foldersAbove } from './view-names.ts';

/** Something that is deleted, with the version that the command was given; empty for a directory. */
export interface PlannedDelete {
  readonly path: string;
  readonly etag: string;
}

/** How a mount becomes what the command made of it, in this order. */
export interface ImportPlan {
  /** What has to go because something of another kind is in its place: files, then directories from below. */
  readonly inTheWay: readonly PlannedDelete[];
  /** New directories, from above; those above a new file are made with it. */
  readonly directories: readonly string[];
  /** Files that are new or were touched. */
  readonly files: readonly string[];
  readonly deletes: readonly PlannedDelete[];
}

/** Compares what a command was given with what it left. Nothing else is touched, whatever else the view has. */
export function planImport(given: GivenMount, left: LeftFiles): ImportPlan {
  const files = [...left.files].filter(([path, identity]) => given.files.get(path)?.identity !== identity);
  const changed = files.map(([path]) => path).sort();
  const made = [...left.directories].filter((path) => !given.directories.has(path)).sort();
  const withFiles = new Set(changed.flatMap(foldersAbove));
  const deleted = deletesOf(given, left);
  const taken = new Set([...changed, ...made]);
  const isInTheWay = ({ path }: PlannedDelete) => taken.has(path) || foldersAbove(path).some((each) => taken.has(each));
  return {
    inTheWay: deleted.filter(isInTheWay),
    directories: made.filter((path) => !withFiles.has(path)),
    files: changed,
    deletes: deleted.filter((each) => !isInTheWay(each)),
  };
}

function deletesOf(given: GivenMount, left: LeftFiles): readonly PlannedDelete[] {
  const aboveKept = new Set([...left.kept].flatMap(foldersAbove));
  const isKept = (path: string) => [path, ...foldersAbove(path)].some((each) => left.kept.has(each));
  const files = [...given.files]
    .filter(([path]) => !left.files.has(path) && !isKept(path))
    .map(([path, { etag }]) => ({ path, etag }));
  const directories = [...given.directories]
    .filter((path) => !left.directories.has(path) && !isKept(path) && !aboveKept.has(path))
    .map((path) => ({ path, etag: '' }));
  // Those below sort after those above.
  return [...files.sort(byPath), ...directories.sort(byPath).reverse()];
}

function byPath(a: PlannedDelete, b: PlannedDelete): number {
  return a.path < b.path ? -1 : 1;
}
