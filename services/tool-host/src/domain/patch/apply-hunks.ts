import { isButForTrailing, isExactly, nearestPlace, placesOf } from './line-search.ts';
import { type Hunk, oldLines } from './patch.ts';
import { type HunkPlace, hunkAmbiguous, hunkNotFound, quoted } from './patch-errors.ts';
import { joinLines, splitLines, type TextLine } from './text-lines.ts';

/**
 * The text with the hunks applied, from its beginning to its end. The old lines of a hunk have to be there as they are, or
 * else but for blanks at their ends, and in one place only, unless a header chooses. Lines that are kept stay as they are in
 * the text, new ones end as their neighbours do, and the text ends in a line end if it did. Throws EDIT_NO_MATCH and
 * EDIT_AMBIGUOUS.
 */
export function applyHunks(path: string, text: string, hunks: readonly Hunk[]): string {
  const lines = splitLines(text);
  const texts = lines.map((line) => line.text);
  const changed: TextLine[] = [];
  let cursor = 0;
  // Not by push(...), which takes so many only.
  const copyUntil = (end: number) => {
    for (; cursor < end; cursor += 1) {
      changed.push(...lines.slice(cursor, cursor + 1));
    }
  };
  for (const [index, hunk] of hunks.entries()) {
    const start = placeOf(hunk, texts, cursor, { path, hunk: index + 1 });
    copyUntil(start);
    for (const { kind, text: added } of hunk.lines) {
      if (kind === 'add') {
        changed.push({ text: added, end: (lines[cursor] ?? lines[cursor - 1])?.end ?? '' });
      } else if (kind === 'keep') {
        copyUntil(cursor + 1);
      } else {
        cursor += 1;
      }
    }
  }
  copyUntil(lines.length);
  const usualEnd = lines[0]?.end || '\n';
  return joinLines(changed, usualEnd, lines.at(-1)?.end !== '');
}

/** Index of the line at which the old lines of a hunk begin, at `cursor` or later. */
function placeOf(hunk: Hunk, lines: readonly string[], cursor: number, place: HunkPlace): number {
  const wanted = oldLines(hunk);
  if (wanted.length === 0) {
    return placeToInsert(hunk, lines, cursor, place);
  }
  const places = found(lines, wanted, cursor).filter((at) => !hunk.isAtEnd || at + wanted.length === lines.length);
  const [first] = places;
  if (first === undefined) {
    throw notFound(hunk, wanted, lines, cursor, place);
  }
  if (places.length === 1) {
    return first;
  }
  if (hunk.headers.length === 0) {
    throw hunkAmbiguous(place, 'its old lines are there', places.map(numberOf));
  }
  const header = placeOfHeaders(hunk.headers, lines, cursor, place);
  const chosen = places.find((at) => at >= header);
  if (chosen === undefined) {
    throw hunkNotFound(place, `its old lines are not behind line ${numberOf(header)}, its "@@ " line.`, '');
  }
  return chosen;
}

/** Where a hunk goes that only adds and has no line around it. */
function placeToInsert({ headers, isAtEnd }: Hunk, lines: readonly string[], cursor: number, place: HunkPlace): number {
  if (headers.length > 0) {
    return placeOfHeaders(headers, lines, cursor, place) + 1;
  }
  if (isAtEnd || lines.length === 0) {
    return lines.length;
  }
  const why = 'it only adds, and nothing says where.';
  throw hunkNotFound(place, why, 'Add a line before or after it, or "*** End of File".');
}

/** Index of the last header: the first one has to be there once, each other one is the next behind the one before. */
function placeOfHeaders(
  headers: readonly string[],
  lines: readonly string[],
  cursor: number,
  place: HunkPlace,
): number {
  let from = cursor;
  for (const [index, header] of headers.entries()) {
    const places = found(lines, [header], from);
    const [first] = places;
    if (first === undefined) {
      throw hunkNotFound(place, `its line "@@ ${header}" is not in the file${behind(from)}.`, '');
    }
    if (index === 0 && places.length > 1) {
      throw hunkAmbiguous(place, `its line "@@ ${header}" is there`, places.map(numberOf));
    }
    from = first + (index === headers.length - 1 ? 0 : 1);
  }
  return from;
}

/** Exact places, or else those that differ in nothing but blanks at the ends of lines. */
function found(lines: readonly string[], wanted: readonly string[], from: number): readonly number[] {
  const exact = placesOf(lines, wanted, from, isExactly);
  return exact.length > 0 ? exact : placesOf(lines, wanted, from, isButForTrailing);
}

function notFound(hunk: Hunk, wanted: readonly string[], lines: readonly string[], cursor: number, place: HunkPlace) {
  const [elsewhere] = found(lines, wanted, 0);
  if (elsewhere !== undefined && hunk.isAtEnd) {
    return hunkNotFound(place, `its old lines are at line ${numberOf(elsewhere)}, not at the end of the file.`, '');
  }
  if (elsewhere !== undefined) {
    const why = `its old lines are at line ${numberOf(elsewhere)}, before the end of the hunk before it.`;
    return hunkNotFound(place, why, 'Put the hunks into the order of the file.');
  }
  return hunkNotFound(place, `its old lines are not in the file${behind(cursor)}.`, hintOf(wanted, lines));
}

function hintOf(wanted: readonly string[], lines: readonly string[]): string {
  const nearest = nearestPlace(lines, wanted);
  if (nearest === undefined) {
    return `Its first line ${quoted(wanted[0] ?? '')} is nowhere.`;
  }
  const { start, differsAt } = nearest;
  const there = lines[differsAt];
  const has = there === undefined ? 'the file ends' : `the file has ${quoted(there)}`;
  const difference = `line ${numberOf(differsAt)} differs: the patch has ${quoted(wanted[differsAt - start] ?? '')}, ${has}.`;
  return `The nearest place is line ${numberOf(start)}, where ${difference}`;
}

function behind(index: number): string {
  return index === 0 ? '' : ` behind line ${index}`;
}

function numberOf(index: number): number {
  return index + 1;
}
