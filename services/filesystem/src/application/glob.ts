import type { Clock } from '@spanwise/kernel';
import type { Caller } from '../domain/disk/caller.ts';
import { fileNotFound, notADirectory } from '../domain/disk/file-errors.ts';
import type { FileNode } from '../domain/disk/file-store.ts';
import { VirtualPath } from '../domain/path/virtual-path.ts';
import type { CallerViews } from './caller-views.ts';
import { NewestFiles } from './newest-files.ts';
import { Pacer } from './pacer.ts';
import type { PathNode, PathRequest } from './path-request.ts';
import type { GlobCompiler } from './ports/glob-compiler.ts';
import type { ViewTree } from './view-tree.ts';
import { type FoundFile, walkFiles } from './walk-files.ts';

export interface GlobRequest extends PathRequest {
  /** Relative to the path. */
  readonly pattern: string;
  readonly limit: number;
}

export interface GlobOutcome {
  /** Newest first, then by path. */
  readonly files: readonly PathNode<FileNode>[];
  /** True when more matched than the limit. */
  readonly isTruncated: boolean;
  /** Disks of optional sources that could not be reached. */
  readonly partialSources: readonly string[];
}

export interface GlobDeps {
  readonly views: CallerViews;
  readonly compileGlob: GlobCompiler;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Finds files by the pattern of their paths. */
export class Glob {
  readonly #deps: GlobDeps;

  constructor(deps: GlobDeps) {
    this.#deps = deps;
  }

  /** Throws VIEW_NOT_FOUND, PATH_INVALID, PATTERN_INVALID, FILE_NOT_FOUND or NOT_A_DIRECTORY. */
  async execute(caller: Caller, request: GlobRequest, signal: AbortSignal): Promise<GlobOutcome> {
    const { views, compileGlob, clock } = this.#deps;
    const tree = await views.open(caller, request.viewId);
    const top = VirtualPath.parse(request.path);
    const pattern = compileGlob(request.pattern);
    const node = await tree.stat(top, signal);
    if (node?.kind !== 'directory') {
      throw node === undefined ? fileNotFound(top) : notADirectory(top);
    }
    const start = pattern.base.reduce<VirtualPath | undefined>((path, name) => path?.entry(name), top);
    const newest = new NewestFiles(request.limit);
    if (start !== undefined && isCovered(tree, start)) {
      const options = { maxDepth: pattern.maxDepth - pattern.base.length, pacer: new Pacer(clock, signal) };
      for await (const file of walkFiles(tree, start, options, signal)) {
        if (pattern.matches(file.path.relativeTo(top).text.slice(1))) {
          newest.offer(file);
        }
      }
    }
    const files: PathNode<FileNode>[] = [];
    for (const file of newest.files) {
      files.push(...(await withEtag(tree, file, signal)));
    }
    return { files, isTruncated: newest.isTruncated, partialSources: tree.partialSources };
  }
}

/** False for a path that lies beside all mounts. */
function isCovered({ view }: ViewTree, path: VirtualPath): boolean {
  return view.isFixed(path) || view.mountOf(path) !== undefined;
}

/** A walk leaves out etags that cost something. Nothing for a file that has vanished. */
async function withEtag(tree: ViewTree, { path, node }: FoundFile, signal: AbortSignal): Promise<PathNode<FileNode>[]> {
  const full = node.etag === '' ? await tree.stat(path, signal) : node;
  return full?.kind === 'file' ? [{ path, node: full }] : [];
}
