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

/** Finds lines by regular expression, in byte order of paths, with one file in memory at a time. */
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
    for await (const file of filesAt(tree, top, pacer, signal)) {
      if (include !== undefined && !include.matches(nameFrom(top, file.path))) {
        continue;
      }
      for await (const match of this.#search(tree, file, { ...request, pattern, pacer, count }, signal)) {
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

  async *#search(tree: ViewTree, { path, node }: FoundFile, search: FileSearch, signal: AbortSignal) {
    const { pattern, contextLines, pacer, count } = search;
    const files = tree.mayRead(path) ? tree.filesAt(path) : undefined;
    const isSearched = files !== undefined && node.size <= maxFileBytes;
    const data = isSearched ? await readText(files, path, pacer, signal) : undefined;
    if (data === undefined) {
      count.filesSkipped += 1;
      return;
    }
    const lines = searchLines(data, pattern, contextLines, pacer);
    let next = await lines.next();
    while (next.done !== true) {
      yield { path, ...next.value };
      next = await lines.next();
    }
    count[next.value ? 'filesSearched' : 'filesSkipped'] += 1;
  }
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
