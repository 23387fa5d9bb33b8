import type { DirectoryNode, DiskNode, FileNode } from '../../../domain/disk/file-store.ts';
import type { RestAnswer } from './rest-answer.ts';

/** Media type of directories, and of nothing else. */
export const directoryMediaType = 'application/vnd.spanwise.directory+json';

/** What a server tells of a file, in headers or in a listing. */
export interface ToldFile {
  readonly size: number | undefined;
  /** As the ETag header has it. */
  readonly etag: string | undefined;
  /** As the Last-Modified header has it, or RFC 3339. */
  readonly modifyTime: string | undefined;
}

/**
 * A file as a server tells it; undefined when it does not tell enough: no size, or no strong etag although the disk is one
 * that `needsEtag`.
 */
export function toldFile({ size, etag, modifyTime }: ToldFile, needsEtag: boolean): FileNode | undefined {
  const strong = strongEtag(etag);
  if (size === undefined || (needsEtag && strong === undefined)) {
    return undefined;
  }
  return { kind: 'file', size, etag: strong ?? '', modifyTimeMs: timeOf(modifyTime) };
}

/** What an answer says is there. Throws DISK_UNAVAILABLE when it does not tell enough. */
export function nodeOf(answer: RestAnswer, needsEtag: boolean): DiskNode {
  return answer.mediaType === directoryMediaType ? directoryOf(answer) : fileOf(answer, answer.length, needsEtag);
}

/** The file that an answer is about, `size` bytes long. Throws DISK_UNAVAILABLE when it does not tell enough. */
export function fileOf(answer: RestAnswer, size: number | undefined, needsEtag: boolean): FileNode {
  const [etag, modifyTime] = [answer.header('etag'), answer.header('last-modified')];
  const node = toldFile({ size, etag, modifyTime }, needsEtag);
  if (node === undefined) {
    throw answer.unusable(size === undefined ? 'no length of the file' : 'no strong ETag although `if_match` is set');
  }
  return node;
}

/** The directory that an answer is about. */
export function directoryOf(answer: RestAnswer): DirectoryNode {
  return { kind: 'directory', modifyTimeMs: timeOf(answer.header('last-modified')) };
}

/** The If-Match header for an etag of a file; undefined for a text that no file can have as its etag. */
export function ifMatchOf(etag: string): string | undefined {
  return strongEtag(`"${etag}"`) === undefined ? undefined : `"${etag}"`;
}

/** What is between the quotes of a strong entity tag; undefined for a weak one and for anything else. */
function strongEtag(text: string | undefined): string | undefined {
  return /^"([\x21\x23-\x7e]{1,256})"$/.exec(text ?? '')?.[1];
}

/** To the second, which is all that Last-Modified can say: a file has one time, whoever tells it. */
export function timeOf(text: string | undefined): number | undefined {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000) * 1000;
}
