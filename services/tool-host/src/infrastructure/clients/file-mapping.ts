import { timestampMs } from '@bufbuild/protobuf/wkt';
import {
  type FileInfo as FileInfoMessage,
  FileKind,
  type GrepResponse,
} from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { invariantBroken } from '@spanwise/kernel';
import type { FileInfo, GrepItem } from '@spanwise/tool-kit/contract';

/** A file as the file service tells of it. Throws INTERNAL when it tells of none. */
export function toFileInfo(message: FileInfoMessage | undefined): FileInfo {
  if (message === undefined) {
    throw invariantBroken('the file service answered without a file');
  }
  const { path, kind, size, etag, modifyTime } = message;
  return {
    path,
    kind: kind === FileKind.DIRECTORY ? 'directory' : 'file',
    size: Number(size),
    etag,
    modifyTimeMs: modifyTime === undefined ? undefined : timestampMs(modifyTime),
  };
}

/** Matches, then the summary if the message has it. */
export function* toGrepItems({ matches, summary }: GrepResponse): Generator<GrepItem> {
  for (const { path, line, text, before, after } of matches) {
    yield { type: 'match', path, line, text, before, after };
  }
  if (summary !== undefined) {
    const { filesSearched, filesSkipped, truncated, partialSources } = summary;
    yield { type: 'summary', filesSearched, filesSkipped, isTruncated: truncated, partialSources };
  }
}
