/** Segments of a path, or of a pattern. */
export type Segments = readonly string[];

/** A path as it is written, and other spellings under which a disk might find the same file. */
export interface PathSpellings {
  readonly exact: Segments;
  /** Folded by {@link foldName}; twice when names have endings that some file systems ignore. */
  readonly folded: readonly Segments[];
}

/**
 * Spellings of a path. Views tell names apart by each character; what is behind a disk may not: file systems that ignore
 * case, Unicode forms or invisible characters, and those that drop dots at the end and what follows a colon.
 */
export function spellingsOf(exact: Segments): PathSpellings {
  const folded = splitFolded(foldName(exact.join('/')));
  const trimmed = folded.map((segment) => segment.replace(/:.*$/su, '').replace(/[. ]+$/u, ''));
  const isSame = trimmed.every((segment, index) => segment === folded[index]);
  return { exact, folded: isSame ? [folded] : [folded, trimmed] };
}

/**
 * The text without differences of case, of compatible Unicode forms, and of characters that nobody sees. At least what
 * Unicode calls NFKC_Casefold; more is the same here than there, for example `İ` and `i`.
 */
export function foldName(text: string): string {
  // Once is not enough: the small letter of `ẞ` is `ß`, whose capital is `SS`.
  return foldOnce(foldOnce(text));
}

function foldOnce(text: string): string {
  const capitals = text
    .normalize('NFKC')
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toUpperCase();
  // One by one: in a whole text the small letter of `Σ` depends on its neighbours.
  const small = Array.from(capitals, (character) => character.toLowerCase()).join('');
  return small.replaceAll('i\u0307', 'i').normalize('NFKC');
}

/** Folding may make a `/` or `\` of a look-alike, and an empty segment of an invisible one. */
function splitFolded(text: string): string[] {
  return text.split(/[/\\]/u).filter((segment) => segment !== '' && segment !== '.');
}
