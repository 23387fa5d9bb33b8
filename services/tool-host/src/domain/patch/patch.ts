/** One file of a patch and what becomes of it. Paths are as they were written. */
export type PatchAction =
  | { readonly type: 'add'; readonly path: string; readonly lines: readonly string[] }
  | { readonly type: 'delete'; readonly path: string }
  | {
      readonly type: 'update';
      readonly path: string;
      /** Where the file goes; undefined = it stays. */
      readonly moveTo: string | undefined;
      /** In the order of their places in the file; none of a file that is only moved. */
      readonly hunks: readonly Hunk[];
    };

/** A place of a file and what changes there. */
export interface Hunk {
  /** Lines of the file that come before the place, the outermost first; they choose among several that fit. */
  readonly headers: readonly string[];
  readonly lines: readonly HunkLine[];
  /** The old lines are the last ones of the file. */
  readonly isAtEnd: boolean;
}

export interface HunkLine {
  readonly kind: 'keep' | 'remove' | 'add';
  /** Without its mark and its line end. */
  readonly text: string;
}

/** Lines that have to be there: those that are kept and those that are removed. */
export function oldLines({ lines }: Hunk): readonly string[] {
  return lines.filter(({ kind }) => kind !== 'add').map(({ text }) => text);
}

/** The hunk that takes back what this one does. */
export function inverted(hunk: Hunk): Hunk {
  const opposites = { keep: 'keep', remove: 'add', add: 'remove' } as const;
  return { ...hunk, lines: hunk.lines.map(({ kind, text }) => ({ kind: opposites[kind], text })) };
}
