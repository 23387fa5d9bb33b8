import type { VirtualPath } from '../path/virtual-path.ts';
import type { Caller } from './caller.ts';

/** Bytes of a file that can be written in one message, edited or searched, and of one read: 8 MiB. */
export const maxFileBytes: number = 8 * 1024 * 1024;
/** Bytes of a file that can be uploaded or copied, and so of all that disks have to keep: 32 MiB. */
export const maxStreamedBytes: number = 32 * 1024 * 1024;

export interface FileNode {
  readonly kind: 'file';
  /** Bytes. */
  readonly size: number;
  /**
   * Strong validator: equal exactly when the content is. Empty only in a listing that did not ask for it, and where a disk
   * has none: its capabilities then have no `ifMatch`.
   */
  readonly etag: string;
  /** Milliseconds since 1970 UTC; undefined when the disk does not know. */
  readonly modifyTimeMs: number | undefined;
}

export interface DirectoryNode {
  readonly kind: 'directory';
  /** Milliseconds since 1970 UTC; undefined when the disk does not know. */
  readonly modifyTimeMs: number | undefined;
}

/** What is at a path of a disk. */
export type DiskNode = FileNode | DirectoryNode;

/** An entry of a directory. */
export interface DiskEntry {
  readonly name: string;
  readonly node: DiskNode;
}

export interface ListRequest {
  /** Names after this one in byte order; empty = from the first. */
  readonly after: string;
  /** Entries at most; at least 1. */
  readonly limit: number;
  /** False: etags that cost something may be left empty. */
  readonly withEtags: boolean;
}

/** A page of a directory, by name in byte order. It may be shorter than its limit and yet not the last one. */
export interface DiskPage {
  readonly entries: readonly DiskEntry[];
  /** The name after which the next page starts; undefined on the last page. */
  readonly next: string | undefined;
}

export interface ByteRange {
  /** From 0; beyond the end nothing is read. */
  readonly offset: number;
  readonly length: number;
}

/** Bytes of a file, and the whole file as it was when they were read. */
export interface FileSlice {
  readonly data: Uint8Array;
  readonly node: FileNode;
}

/** What must be true for a change to happen, checked in one step with it. */
export interface WriteGuard {
  /** The file has this etag. */
  readonly ifMatch?: string | undefined;
  /** Nothing is there. */
  readonly createOnly?: boolean | undefined;
}

export interface WriteOutcome {
  readonly node: FileNode;
  /** True when nothing was there before. */
  readonly isCreated: boolean;
}

export interface RemoveRequest {
  /** True: a directory goes with everything in it. */
  readonly isRecursive: boolean;
  /** Only a file with this etag. */
  readonly ifMatch?: string | undefined;
}

/** What a disk can promise. A guard that it can not is refused, never ignored. */
export interface DiskCapabilities {
  readonly ifMatch: boolean;
  readonly createOnly: boolean;
  /** A change and what is kept of it (its key and answer) happen together or not at all. */
  readonly atomic: boolean;
}

/**
 * Files that can be read. Paths are the store's own; its root is always a directory. Failures about a path are
 * {@link FileError}s that carry the store's path, so that whoever mounted it can tell them in the paths of the view.
 * What is neither a regular file with one name nor a directory is not listed and has no stat.
 *
 * Every method may throw DISK_UNAVAILABLE, DISK_AUTH_REQUIRED, FILE_ACCESS_DENIED, DATABASE_UNAVAILABLE or what `signal`
 * was aborted with.
 */
export interface ReadableStore {
  /** Undefined when nothing is there. */
  stat(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DiskNode | undefined>;

  /** Throws FILE_NOT_FOUND or NOT_A_DIRECTORY. */
  list(caller: Caller, path: VirtualPath, request: ListRequest, signal: AbortSignal): Promise<DiskPage>;

  /** Reads at most {@link maxFileBytes}. Throws FILE_NOT_FOUND or NOT_A_FILE. */
  read(caller: Caller, path: VirtualPath, range: ByteRange, signal: AbortSignal): Promise<FileSlice>;
}

/** The one interface that disks implement. */
export interface FileStore extends ReadableStore {
  readonly capabilities: DiskCapabilities;

  /**
   * Writes a whole file of at most {@link maxStreamedBytes} and makes the directories above it; a reader sees the old content
   * or the new one.
   * Throws NOT_A_FILE, NOT_A_DIRECTORY, ETAG_MISMATCH or FILE_EXISTS; then the file is as it was.
   */
  write(
    caller: Caller,
    path: VirtualPath,
    data: Uint8Array,
    guard: WriteGuard,
    signal: AbortSignal,
  ): Promise<WriteOutcome>;

  /** Throws FILE_NOT_FOUND, DIRECTORY_NOT_EMPTY, ETAG_MISMATCH, or PATH_INVALID for the root. */
  remove(caller: Caller, path: VirtualPath, request: RemoveRequest, signal: AbortSignal): Promise<void>;

  /**
   * Moves a file, or a directory with all in it, and makes the directories above its new path. Answers what was moved.
   * Throws FILE_NOT_FOUND, FILE_EXISTS, NOT_A_DIRECTORY, or PATH_INVALID for the root and for a path below `from`.
   */
  rename(caller: Caller, from: VirtualPath, to: VirtualPath, signal: AbortSignal): Promise<DiskNode>;

  /** Makes a directory and those above it; fine when it is there. Throws NOT_A_DIRECTORY. */
  makeDirectory(caller: Caller, path: VirtualPath, signal: AbortSignal): Promise<DirectoryNode>;
}
