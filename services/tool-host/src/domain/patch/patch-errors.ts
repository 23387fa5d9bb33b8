import { DomainError } from '@spanwise/kernel';

const shownLength = 200;

/** The text is no patch. `line` counts from 1. The model corrects it. */
export function patchInvalid(line: number, why: string): DomainError {
  const text = `The patch can not be read, line ${line}: ${why} Nothing was changed.`;
  return new DomainError('invalid', 'INVALID_FIELD', text, { facts: { line } });
}

/** Two parts of a patch touch one file. The model puts them together. */
export function touchedTwice(path: string): DomainError {
  const text = `The patch names ${path} more than once. Put all that happens to it into one section. Nothing was changed.`;
  return new DomainError('invalid', 'INVALID_FIELD', text, { facts: { path } });
}

/** Which hunk of which file, as it is told. */
export interface HunkPlace {
  readonly path: string;
  /** From 1. */
  readonly hunk: number;
}

/** The old lines of a hunk are not in the file. `hint` is what is there instead. The model reads the file again. */
export function hunkNotFound({ path, hunk }: HunkPlace, why: string, hint: string): DomainError {
  const advice = 'Read the file and copy the lines exactly. Nothing was changed.';
  const text = [`Hunk ${hunk} of ${path} does not fit: ${why}`, hint, advice].filter((part) => part !== '').join(' ');
  return new DomainError('precondition', 'EDIT_NO_MATCH', text, { facts: { path, hunk } });
}

/** A hunk fits more than one place. The model says which. */
export function hunkAmbiguous({ path, hunk }: HunkPlace, what: string, lines: readonly number[]): DomainError {
  const shown = lines.slice(0, 5).join(', ');
  const places = `${lines.length} times (lines ${shown}${lines.length > 5 ? ', …' : ''})`;
  const advice = 'Add lines around it until it is unique, or an "@@ " line that is there once. Nothing was changed.';
  const text = `Hunk ${hunk} of ${path} fits more than one place: ${what} ${places}. ${advice}`;
  return new DomainError('precondition', 'EDIT_AMBIGUOUS', text, { facts: { path, hunk, count: lines.length } });
}

/** A line as it is shown in an error: quoted, and cut when it is long. */
export function quoted(line: string): string {
  return JSON.stringify(line.length > shownLength ? `${line.slice(0, shownLength)}…` : line);
}

/** A file of a patch is binary. The model leaves it alone, or replaces it whole. */
export function notText(path: string): DomainError {
  const text = `${path} is binary, or not UTF-8: only text can be patched. Nothing was changed.`;
  return new DomainError('precondition', 'EDIT_NO_MATCH', text, { facts: { path } });
}

/** A file is over what a patch may touch. `limitBytes` is what is left for it. The model uses other tools. */
export function isTooLarge(path: string, limitBytes: number): DomainError {
  const text = `${path} is too long for a patch, which may touch ${limitBytes} bytes there. Use edit, move or delete. Nothing was changed.`;
  return new DomainError('exhausted', 'FILE_TOO_LARGE', text, { facts: { path, limit_bytes: limitBytes } });
}

/** What became of the changes before the one that failed. */
export interface PatchLeft {
  readonly undone: readonly string[];
  /** Still changed. */
  readonly left: readonly string[];
}

/** A change of a patch failed after others had been made. `why` is what is told of it; undefined when it is a bug. */
export function patchStopped(
  path: string,
  why: DomainError | undefined,
  { undone, left }: PatchLeft,
  cause: unknown,
): DomainError {
  const parts = [
    `The patch stopped at ${path}: ${why?.message ?? 'an error inside the tool, which was logged.'}`,
    ...(why?.kind === 'unavailable' ? [`Whether ${path} was changed is not known.`] : []),
    ...(undone.length === 0 ? [] : [`Undone again: ${undone.join(', ')}.`]),
    left.length === 0
      ? 'No other file is changed.'
      : `Still changed, because they could not be undone: ${left.join(', ')}.`,
  ];
  const facts = { path, undone: undone.length, left: left.length };
  return new DomainError('aborted', why?.reason ?? 'TOOL_FAILED', parts.join(' '), { facts, cause });
}
