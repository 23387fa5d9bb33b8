import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type FileInfoSchema,
  FileKind,
  type GrepMatchSchema,
  LayerState,
  type ViewSchema,
} from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import type { GrepMatch } from '../application/grep.ts';
import type { OutputFile } from '../application/list-outputs.ts';
import type { PathNode } from '../application/path-request.ts';
import type { SessionView } from '../domain/view/session-view.ts';

export function toView(
  { id, sessionId, mounts, createTimeMs }: SessionView,
  layerState: LayerState = LayerState.UNSPECIFIED,
): MessageInitShape<typeof ViewSchema> {
  return {
    id,
    sessionId,
    mounts: mounts.map(({ path, sources, isReadOnly, isOutput }) => ({
      path: path.text,
      disk: sources.length === 1 ? sources[0].disk : '',
      sources: sources.map(({ disk, priority, isOptional }) => ({ disk, priority, optional: isOptional })),
      readOnly: isReadOnly,
      outputPath: isOutput,
    })),
    createTime: timestampFromMs(createTimeMs),
    layerState,
  };
}

export function toFileInfo({ path, node }: PathNode): MessageInitShape<typeof FileInfoSchema> {
  const modifyTime = node.modifyTimeMs === undefined ? {} : { modifyTime: timestampFromMs(node.modifyTimeMs) };
  return node.kind === 'file'
    ? { path: path.text, kind: FileKind.FILE, size: BigInt(node.size), etag: node.etag, ...modifyTime }
    : { path: path.text, kind: FileKind.DIRECTORY, ...modifyTime };
}

export function toOutputInfo(file: OutputFile): MessageInitShape<typeof FileInfoSchema> {
  return { ...toFileInfo(file), mediaType: file.mediaType };
}

export function toGrepMatch({ path, ...match }: GrepMatch): MessageInitShape<typeof GrepMatchSchema> {
  return { path: path.text, line: match.line, text: match.text, before: [...match.before], after: [...match.after] };
}
