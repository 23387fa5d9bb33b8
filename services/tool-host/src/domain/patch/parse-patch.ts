import type { Hunk, HunkLine, PatchAction } from './patch.ts';
import { patchInvalid, quoted } from './patch-errors.ts';

const beginLine = '*** Begin Patch';
const endLine = '*** End Patch';
const endOfFileLine = '*** End of File';
const sections = ['*** Add File: ', '*** Update File: ', '*** Delete File: '] as const;
const moveTo = '*** Move to: ';
const kinds: Readonly<Record<string, HunkLine['kind'] | undefined>> = { ' ': 'keep', '-': 'remove', '+': 'add' };

/**
 * Reads a patch: `*** Begin Patch`, sections `*** Add File: `, `*** Update File: ` (perhaps with `*** Move to: `) and
 * `*** Delete File: `, `*** End Patch`. Throws INVALID_FIELD with the line that is wrong.
 */
export function parsePatch(text: string): readonly PatchAction[] {
  const lines = new PatchLines(text);
  lines.skipEmpty();
  if (lines.current?.trim() !== beginLine) {
    throw lines.invalid(`it has to begin with "${beginLine}".`);
  }
  lines.next();
  const actions: PatchAction[] = [];
  for (lines.skipEmpty(); lines.current?.trim() !== endLine; lines.skipEmpty()) {
    actions.push(parseSection(lines));
  }
  if (actions.length === 0) {
    throw lines.invalid(
      'it has no section. One begins with "*** Add File: ", "*** Update File: " or "*** Delete File: ".',
    );
  }
  lines.next();
  lines.skipEmpty();
  if (lines.current !== undefined) {
    throw lines.invalid(`nothing may follow "${endLine}".`);
  }
  return actions;
}

/** The lines of a patch, one after the other. */
class PatchLines {
  readonly #lines: readonly string[];
  #index = 0;

  constructor(text: string) {
    // Whoever writes a patch with line ends of Windows does not mean the carriage returns.
    const isWindows = /^\s*\*\*\* Begin Patch[^\S\n]*\r\n/.test(text);
    this.#lines = (isWindows ? text.replaceAll('\r\n', '\n') : text).split('\n');
  }

  /** Undefined at the end. */
  get current(): string | undefined {
    return this.#lines[this.#index];
  }

  next(): void {
    this.#index += 1;
  }

  /** Takes the current line if it begins so, and returns the rest of it. */
  takeAfter(start: string): string | undefined {
    const { current } = this;
    if (current?.startsWith(start) !== true) {
      return undefined;
    }
    this.next();
    return current.slice(start.length);
  }

  skipEmpty(): void {
    while (this.current?.trim() === '') {
      this.next();
    }
  }

  invalid(why: string) {
    return patchInvalid(Math.min(this.#index + 1, this.#lines.length), why);
  }
}

function parseSection(lines: PatchLines): PatchAction {
  const [add, update, remove] = sections;
  const added = takePath(lines, add);
  if (added !== undefined) {
    return { type: 'add', path: added, lines: parseContent(lines) };
  }
  const removed = takePath(lines, remove);
  if (removed !== undefined) {
    return { type: 'delete', path: removed };
  }
  const path = takePath(lines, update);
  if (path === undefined) {
    const found = lines.current === undefined ? 'the patch ends' : `there is ${quoted(lines.current)}`;
    throw lines.invalid(
      `${found}, where "*** Add File: ", "*** Update File: ", "*** Delete File: " or "${endLine}" belongs.`,
    );
  }
  const target = takePath(lines, moveTo);
  const hunks = parseHunks(lines);
  if (hunks.length === 0 && target === undefined) {
    throw lines.invalid(`the section of ${path} changes nothing.`);
  }
  return { type: 'update', path, moveTo: target, hunks };
}

function takePath(lines: PatchLines, start: string): string | undefined {
  const path = lines.takeAfter(start)?.trim();
  if (path === '') {
    throw lines.invalid(`the line before has no path behind "${start.trim()}".`);
  }
  return path;
}

function parseContent(lines: PatchLines): readonly string[] {
  const content: string[] = [];
  for (let line = lines.takeAfter('+'); line !== undefined; line = lines.takeAfter('+')) {
    content.push(line);
  }
  lines.skipEmpty();
  if (lines.current !== undefined && !isMark(lines.current)) {
    throw lines.invalid(`there is ${quoted(lines.current)}: every line of a new file begins with "+", empty ones too.`);
  }
  return content;
}

function isMark(line: string): boolean {
  return line.startsWith('*** ');
}

function parseHunks(lines: PatchLines): readonly Hunk[] {
  const hunks: Hunk[] = [];
  for (let { current } = lines; current !== undefined && !isMark(current); { current } = lines) {
    const hunk = parseHunk(lines);
    if (hunk !== undefined) {
      hunks.push(hunk);
    }
  }
  return hunks;
}

/** Undefined where only empty lines are left of the section. */
function parseHunk(lines: PatchLines): Hunk | undefined {
  const headers: string[] = [];
  let isHeaded = false;
  for (let line = lines.takeAfter('@@'); line !== undefined; line = lines.takeAfter('@@')) {
    isHeaded = true;
    headers.push(...headerOf(line));
  }
  const found: HunkLine[] = [];
  for (let line = takeHunkLine(lines); line !== undefined; line = takeHunkLine(lines)) {
    found.push(line);
  }
  const isAtEnd = lines.current?.trim() === endOfFileLine;
  if (isAtEnd) {
    lines.next();
  }
  const changed = isAtEnd ? found : withoutLooseEnd(found);
  if (changed.some(({ kind }) => kind !== 'keep')) {
    return { headers, lines: changed.map(({ kind, text }) => ({ kind, text })), isAtEnd };
  }
  if (isHeaded || changed.length > 0 || isAtEnd) {
    throw lines.invalid('the hunk before this line changes nothing: removed lines begin with "-", new ones with "+".');
  }
  return undefined;
}

/** The line that a hunk is looked for behind; none of `@@` alone and of one with line numbers, which are not relied on. */
function headerOf(rest: string): readonly string[] {
  const isNumbered = /^ -\d+(,\d+)? \+\d+(,\d+)? @@/.test(rest);
  const header = rest.startsWith(' ') ? rest.slice(1) : rest;
  return isNumbered || header.trim() === '' ? [] : [header];
}

function takeHunkLine(lines: PatchLines): HunkLine | undefined {
  const { current } = lines;
  if (current === undefined || isMark(current) || current.startsWith('@@')) {
    return undefined;
  }
  // An empty line is an empty line that is kept: its blank gets lost easily.
  const kind = current === '' ? 'keep' : kinds[current.charAt(0)];
  if (kind === undefined) {
    throw lines.invalid(`there is ${quoted(current)}: lines of a hunk begin with " ", "-" or "+".`);
  }
  lines.next();
  return { kind, text: current.slice(1) };
}

/** Empty lines between a hunk and what follows are not of the file. */
function withoutLooseEnd(lines: readonly HunkLine[]): readonly HunkLine[] {
  const last = lines.findLastIndex(({ kind, text }) => kind !== 'keep' || text !== '');
  return lines.slice(0, last + 1);
}
