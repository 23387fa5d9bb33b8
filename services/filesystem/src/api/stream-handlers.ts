import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import {
  CopyRequestSchema,
  type DownloadResponseSchema,
  type FileSystemService,
} from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { brandId, type RunId } from '@spanwise/kernel';
import { requireIdentity } from '@spanwise/service-kit';
import type { Copy } from '../application/copy.ts';
import type { Download, DownloadPart } from '../application/download.ts';
import type { Upload } from '../application/upload.ts';
import { toChangeSource } from './change-mapping.ts';
import { guardOf, offsetOf } from './request-mapping.ts';
import { openUpload } from './upload-messages.ts';
import { toFileInfo } from './view-mapping.ts';

export interface StreamHandlersDeps {
  readonly copy: Copy;
  readonly upload: Upload;
  readonly download: Download;
}

/** Files that are too large for one message, and copies. */
export function streamHandlers(
  deps: StreamHandlersDeps,
): Pick<ServiceImpl<typeof FileSystemService>, 'copy' | 'upload' | 'getUpload' | 'download'> {
  return {
    async copy(message, context) {
      const { viewId, fromPath, toPath } = message;
      const request = { viewId, fromPath, toPath, ...toChangeSource(CopyRequestSchema, message) };
      const outcome = await deps.copy.execute(requireIdentity(context), request, context.signal);
      return { file: toFileInfo(outcome), files: outcome.files };
    },
    async upload(messages, context) {
      const caller = requireIdentity(context);
      const { begin, parts } = await openUpload(messages);
      const outcome = await deps.upload.execute(caller, begin, parts, context.signal);
      return { file: toFileInfo(outcome), created: outcome.isCreated };
    },
    async getUpload({ viewId, uploadId }, context) {
      const request = { viewId: brandId<RunId>(viewId), uploadId: uploadId.toLowerCase() };
      return { receivedBytes: BigInt(await deps.upload.received(requireIdentity(context), request)) };
    },
    async *download({ viewId, path, offset, length, ifMatch }, context) {
      const range = { offset: offsetOf(offset), length: offsetOf(length) };
      const request = { viewId, path, ...range, ifMatch: guardOf(ifMatch) };
      for await (const part of deps.download.execute(requireIdentity(context), request, context.signal)) {
        yield toDownloadResponse(part);
      }
    },
  };
}

function toDownloadResponse({
  data,
  file,
  sha256 = '',
}: DownloadPart): MessageInitShape<typeof DownloadResponseSchema> {
  return { chunk: data, sha256, ...(file === undefined ? {} : { file: toFileInfo(file) }) };
}
