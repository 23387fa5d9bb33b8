import type { Entry, Metadata } from 'opendal';
import type { DirectoryNode, FileNode } from '../../../domain/disk/file-store.ts';

/** Name of the user metadata that holds the SHA-256 of what was written: letters and digits, as every store allows. */
export const hashMetadata = 'spanwisesha256';

/** Nothing is known of a directory but that it is there. */
export const directoryNode: DirectoryNode = { kind: 'directory', modifyTimeMs: undefined };

/** An object as its store tells it. */
export interface StoredObject {
  /** Bytes. */
  readonly size: number;
  /** Its entity tag, with quotes; undefined when there is none, or a weak one. */
  readonly tag: string | undefined;
  /** SHA-256 of its content in hex, when the disk has written it; undefined otherwise, and in listings. */
  readonly hash: string | undefined;
  /** To the second: listings and answers tell it with different accuracy, and a file has one time. */
  readonly modifyTimeMs: number | undefined;
}

/** A key of a listing. */
export interface ListedObject {
  readonly key: string;
  /** What the store tells of it; sizes of directories mean nothing. */
  readonly object: StoredObject;
}

export function objectOf(metadata: Metadata): StoredObject {
  const hash = metadata.userMetadata?.[hashMetadata];
  return {
    size: Number(metadata.contentLength ?? 0),
    tag: strongTag(metadata.etag),
    hash: hash !== undefined && /^[0-9a-f]{64}$/.test(hash) ? hash : undefined,
    modifyTimeMs: timeOf(metadata.lastModified),
  };
}

export function listedOf(entry: Entry): ListedObject {
  return { key: entry.path(), object: objectOf(entry.metadata()) };
}

/** The file that an object is. Its etag is the hash of its content, or what the store has as one. */
export function fileNodeOf({ size, tag, hash, modifyTimeMs }: StoredObject): FileNode {
  return { kind: 'file', size, etag: hash ?? tag?.slice(1, -1) ?? '', modifyTimeMs };
}

function strongTag(text: string | null): string | undefined {
  return text !== null && /^"[\x21\x23-\x7e]{1,256}"$/.test(text) ? text : undefined;
}

function timeOf(text: string | null): number | undefined {
  const ms = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000) * 1000;
}
