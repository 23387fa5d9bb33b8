/**
 * The view of files of one run. Paths are absolute, `/`-separated and free of `..`.
 *
 * Every operation may fail with the reasons PATH_INVALID, VIEW_NOT_FOUND and DISK_UNAVAILABLE, those that change
 * something also with MOUNT_READ_ONLY; see file-errors.ts. An implementation is bound to a caller and a signal: when that
 * aborts, what is waiting fails and nothing new begins.
 */
export interface Files {
  /** What the view is made of, by path. What lies outside of all mounts can only be read. */
  mounts(): Promise<readonly FileMount[]>;
  /** Tells what is at a path. Fails with FILE_NOT_FOUND. */
  stat(path: string): Promise<FileInfo>;
  /** Lists a directory by name. Fails with FILE_NOT_FOUND, NOT_A_DIRECTORY. */
  list(path: string, page: PageRequest): Promise<FilePage>;
  /** Reads bytes of a file; empty beyond its end. Fails with FILE_NOT_FOUND, NOT_A_FILE. */
  read(path: string, range: ByteRange): Promise<FileBytes>;
  /**
   * Writes a whole file and makes the directories above it. Fails with NOT_A_FILE, NOT_A_DIRECTORY, ETAG_MISMATCH,
   * FILE_EXISTS, FILE_TOO_LARGE, DISK_UNSUPPORTED.
   */
  write(path: string, data: Uint8Array, guard: WriteGuard): Promise<WrittenFile>;
  /**
   * Replaces exact text in a UTF-8 file. Fails with FILE_NOT_FOUND, NOT_A_FILE, ETAG_MISMATCH, EDIT_NO_MATCH,
   * EDIT_AMBIGUOUS, FILE_TOO_LARGE.
   */
  edit(path: string, edit: TextEdit): Promise<EditedFile>;
  /** Makes a directory and those above it; fine if it is there. Fails with NOT_A_DIRECTORY. */
  makeDirectory(path: string): Promise<FileInfo>;
  /** Deletes a file or directory. Fails with FILE_NOT_FOUND, DIRECTORY_NOT_EMPTY, ETAG_MISMATCH. */
  delete(path: string, options: DeleteOptions): Promise<void>;
  /**
   * Moves a file or directory within one disk to where nothing is. Fails with FILE_NOT_FOUND, FILE_EXISTS,
   * NOT_A_DIRECTORY, CROSS_DISK.
   */
  move(fromPath: string, toPath: string): Promise<FileInfo>;
  /** Finds files by pattern, newest first. Fails with PATTERN_INVALID, NOT_A_DIRECTORY, FILE_NOT_FOUND. */
  glob(query: GlobQuery): Promise<GlobResult>;
  /**
   * Finds lines by regular expression, in order of path and line; the last item is the summary. Fails with
   * PATTERN_INVALID, FILE_NOT_FOUND.
   */
  grep(query: GrepQuery): AsyncIterable<GrepItem>;
}

/** A path of the view and what may be done under it. */
export interface FileMount {
  readonly path: string;
  /** True when nothing can be changed under it. */
  readonly isReadOnly: boolean;
}

export interface FileInfo {
  readonly path: string;
  readonly kind: 'file' | 'directory';
  /** Bytes of a file; 0 for a directory. */
  readonly size: number;
  /** Changes with the content; empty for a directory. */
  readonly etag: string;
  /** Milliseconds since 1970 UTC; undefined when the disk does not know. */
  readonly modifyTimeMs: number | undefined;
}

export interface PageRequest {
  /** At most 1000. */
  readonly pageSize: number;
  /** Empty for the first page. */
  readonly pageToken: string;
}

interface FilePage {
  /** By name in byte order. */
  readonly entries: readonly FileInfo[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
  /** Disks that could not be reached: what they have is missing. */
  readonly partialSources: readonly string[];
}

export interface ByteRange {
  readonly offset: number;
  /** At most 8 MiB. */
  readonly length: number;
}

interface FileBytes {
  /** Shorter than asked for only at the end of the file. */
  readonly data: Uint8Array;
  /** The whole file as it was when read. */
  readonly file: FileInfo;
}

/** When a write may go through, so that two writers can not overwrite each other unseen. */
export type WriteGuard =
  | { readonly type: 'create-only' }
  | {
      readonly type: 'if-match';
      readonly etag: string;
    };

interface WrittenFile {
  readonly file: FileInfo;
  /** True when nothing was there before. */
  readonly isNew: boolean;
}

export interface TextEdit {
  /** Exact text; not empty. */
  readonly oldText: string;
  readonly newText: string;
  /** False: exactly one match must exist. */
  readonly replacesAll: boolean;
  /** Edit only this version; undefined = whatever is there. */
  readonly etag: string | undefined;
}

interface EditedFile {
  readonly file: FileInfo;
  readonly replacements: number;
}

export interface DeleteOptions {
  /** True: with everything in it. */
  readonly isRecursive: boolean;
  /** Delete only this version of a file; undefined = whatever is there. */
  readonly etag: string | undefined;
}

export interface GlobQuery {
  /** Directory to search. */
  readonly path: string;
  /** Relative to it: `*`, `?`, `[…]`, `{a,b}` within a segment, `**` over segments. */
  readonly pattern: string;
  /** At most 1000. */
  readonly limit: number;
}

export interface GlobResult {
  readonly files: readonly FileInfo[];
  /** True when more matched than the limit. */
  readonly isTruncated: boolean;
  /** Disks that could not be reached: what they have is missing. */
  readonly partialSources: readonly string[];
}

export interface GrepQuery {
  /** File or directory to search. */
  readonly path: string;
  /** RE2 syntax, matched line by line. */
  readonly pattern: string;
  /** Only files whose path relative to `path` matches this glob; empty = all. */
  readonly include: string;
  readonly ignoresCase: boolean;
  /** Lines before and after each match, 0 to 20. */
  readonly contextLines: number;
  /** Matches at most, up to 10000. */
  readonly limit: number;
}

export type GrepItem = GrepMatch | GrepSummary;

/** A line that matched. */
export interface GrepMatch {
  readonly type: 'match';
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** What a search did. */
export interface GrepSummary {
  readonly type: 'summary';
  readonly filesSearched: number;
  /** Binary, or over the size limit. */
  readonly filesSkipped: number;
  /** True when the limit ended the search. */
  readonly isTruncated: boolean;
  /** Disks that could not be reached: what they have is missing. */
  readonly partialSources: readonly string[];
}
