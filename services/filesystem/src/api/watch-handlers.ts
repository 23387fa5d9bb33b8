import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import {
  ChangeKind,
  type FileSystemService,
  type WatchResponseSchema,
} from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { requireIdentity } from '@spanwise/service-kit';
import type { Watch } from '../application/watch.ts';
import type { PathChange } from '../domain/watching/path-difference.ts';

export interface WatchHandlersDeps {
  readonly watch: Watch;
}

type WatchMessage = MessageInitShape<typeof WatchResponseSchema>;

/** What tells changes of files. */
export function watchHandlers(deps: WatchHandlersDeps): Pick<ServiceImpl<typeof FileSystemService>, 'watch'> {
  return {
    async *watch({ viewId, path }, context): AsyncGenerator<WatchMessage> {
      const request = { viewId, path: path === '' ? '/' : path };
      for await (const changes of deps.watch.execute(requireIdentity(context), request, context.signal)) {
        yield { changes: changes.map(toPathChange) };
      }
    },
  };
}

function toPathChange({ path, kind, etag }: PathChange) {
  return { path: path.text, kind: ChangeKind[kind], etag };
}
