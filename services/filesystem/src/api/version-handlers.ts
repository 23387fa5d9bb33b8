import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import {
  type FileSystemService,
  type FileVersionSchema,
  RestoreRequestSchema,
} from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { requireIdentity } from '@spanwise/service-kit';
import type { ListVersions } from '../application/list-versions.ts';
import type { Restore } from '../application/restore.ts';
import type { FileVersion } from '../domain/disk/versioned-store.ts';
import { toChangeSource } from './change-mapping.ts';
import { guardOf, offsetOf } from './request-mapping.ts';
import { toFileInfo } from './view-mapping.ts';

export interface VersionHandlersDeps {
  readonly listVersions: ListVersions;
  readonly restore: Restore;
}

/** Earlier versions of files. */
export function versionHandlers(
  deps: VersionHandlersDeps,
): Pick<ServiceImpl<typeof FileSystemService>, 'listVersions' | 'restore'> {
  return {
    async listVersions({ viewId, path }, context) {
      const versions = await deps.listVersions.execute(requireIdentity(context), { viewId, path });
      return { versions: versions.map(toVersion) };
    },
    async restore(message, context) {
      const { viewId, path, ifMatch } = message;
      const source = toChangeSource(RestoreRequestSchema, message);
      const request = { viewId, path, version: offsetOf(message.version), ifMatch: guardOf(ifMatch), ...source };
      return { file: toFileInfo(await deps.restore.execute(requireIdentity(context), request, context.signal)) };
    },
  };
}

function toVersion({ version, node, isCurrent }: FileVersion): MessageInitShape<typeof FileVersionSchema> {
  const { size, etag, modifyTimeMs } = node;
  const modifyTime = modifyTimeMs === undefined ? {} : { modifyTime: timestampFromMs(modifyTimeMs) };
  return { version: BigInt(version), size: BigInt(size), etag, current: isCurrent, ...modifyTime };
}
