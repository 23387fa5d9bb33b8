import type { Clock } from '@spanwise/kernel';
import type { Caller } from '../domain/disk/caller.ts';
import { fileNotFound } from '../domain/disk/file-errors.ts';
import { maxFileBytes } from '../domain/disk/file-store.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import { Pacer } from './pacer.ts';
import type { PathRequest } from './path-request.ts';
import type { GlobCompiler } from './ports/glob-compiler.ts';
import type { LinePattern, LinePatternCompiler } from './ports/line-pattern.ts';
import { readAhead } from './read-ahead.ts';
import { readText } from './read-text.ts';
import { type LineMatch, searchLines } from './search-lines.ts';
import type { ViewTree } from './view-tree.ts';
import { type FoundFile, walkFiles } from './walk-files.ts';

export interface GrepRequest extends PathRequest {
  /** RE2 syntax, matched line by line. */
  readonly pattern: string;
  /** Glob for paths relative to the path, or for the file's name when the path is a file; empty = all. */
  readonly include: string;
  readonly ignoreCase: boolean;
  readonly contextLines: number;
  /** Matches at most. */
  readonly limit: number;
}

export interface GrepMatch extends LineMatch {
  readonly path: VirtualPath;
}

export interface GrepSummary {
  readonly filesSearched: number;
  /** Binary, over the size limit, or with a line that would hold up everybody else. */
  readonly filesSkipped: number;
  /** True when there are more matches than the limit. */
  readonly isTruncated: boolean;
  /** Disks of optional sources that could not be reached. */
  readonly partialSources: readonly string[];
}

/** Matches as they are found, the summary last. */
export type GrepEvent =
  | { readonly type: 'match'; readonly match: GrepMatch }
  | { readonly type: 'summary'; readonly summary: GrepSummary };

export interface GrepDeps {
  readonly views: CallerViews;
  readonly compileGlob: GlobCompiler;
  readonly compileLinePattern: LinePatternCompiler;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Files that are read before their turn has come, and how large each may be: 1 MiB in all. */
const filesAhead = 16;
const aheadBytes = 64 * 1024;

/** Finds lines by regular expression, in byte order of paths, with one large file in memory at a time. */
export class Grep {
  readonly #deps: GrepDeps;

  constructor(deps: GrepDeps) {
    this.#deps = deps;
  }

  /** Throws VIEW_NOT_FOUND, PATH_INVALID, PATTERN_INVALID or FILE_NOT_FOUND. */
  async *execute(caller: Caller, request: GrepRequest, signal: AbortSignal): AsyncGenerator<GrepEvent> {
    const { views, compileGlob, compileLinePattern, clock } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    const top = VirtualPath.parse(request.path);
    const include = request.include === '' ? undefined : compileGlob(request.include);
    const pattern = compileLinePattern(request.pattern, { ignoreCase: request.ignoreCase });
    const pacer = new Pacer(clock, signal);
    const count = { filesSearched: 0, filesSkipped: 0 };
    let found = 0;
    const isIncluded = ({ path }: FoundFile) => include === undefined || include.matches(nameFrom(top, path));
    const read = ({ path, node }: FoundFile) => readSearched(tree, path, node.size, pacer, signal);
    const ahead = (file: FoundFile) => (file.node.size <= aheadBytes && isIncluded(file) ? read(file) : undefined);
    for await (const { item: file, begun } of readAhead(filesAt(tree, top, pacer, signal), filesAhead, ahead)) {
      if (!isIncluded(file)) {
        continue;
      }
      const text = await (begun ?? read(file));
      for await (const match of searchFile(file.path, text, { ...request, pattern, pacer, count })) {
        found += 1;
        if (found > request.limit) {
          count.filesSearched += 1;
          yield { type: 'summary', summary: { ...count, isTruncated: true, partialSources: tree.partialSources } };
          return;
        }
        yield { type: 'match', match };
      }
    }
    yield { type: 'summary', summary: { ...count, isTruncated: false, partialSources: tree.partialSources } };
  }
}

/** What is searched of a file; undefined when it is skipped. */
async function readSearched(tree: ViewTree, path: VirtualPath, size: number, pacer: Pacer, signal: AbortSignal) {
  const files = tree.mayRead(path) ? tree.filesAt(path) : undefined;
  return files !== undefined && size <= maxFileBytes ? readText(files, path, pacer, signal) : undefined;
}

async function* searchFile(path: VirtualPath, text: Uint8Array | undefined, search: FileSearch) {
  const { pattern, contextLines, pacer, count } = search;
  if (text === undefined) {
    count.filesSkipped += 1;
    return;
  }
  const lines = searchLines(text, pattern, contextLines, pacer);
  let next = await lines.next();
  while (next.done !== true) {
    yield { path, ...next.value };
    next = await lines.next();
  }
  count[next.value ? 'filesSearched' : 'filesSkipped'] += 1;
}

interface FileSearch {
  readonly pattern: LinePattern;
  readonly contextLines: number;
  readonly pacer: Pacer;
  readonly count: { filesSearched: number; filesSkipped: number };
}

async function* filesAt(
  tree: ViewTree,
  top: VirtualPath,
  pacer: Pacer,
  signal: AbortSignal,
): AsyncGenerator<FoundFile> {
  const node = await tree.stat(top, signal);
  if (node === undefined) {
    throw fileNotFound(top);
  }
  if (node.kind === 'file') {
    tree.assertMay('read', top);
    yield { path: top, node };
  } else {
    yield* walkFiles(tree, top, { maxDepth: Infinity, pacer }, signal);
  }
}

function nameFrom(top: VirtualPath, path: VirtualPath): string {
  return path.equals(top) ? path.name : path.relativeTo(top).text.slice(1);
}
