import type { ServiceImpl } from '@connectrpc/connect';
import type { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { requireIdentity } from '@spanwise/service-kit';
import type { CommitRun } from '../application/commit-run.ts';
import type { DiffRun } from '../application/diff-run.ts';
import type { RollbackRun } from '../application/rollback-run.ts';
import { epochOf } from './change-mapping.ts';
import { toCommitResponse, toDiffResponse, toRollbackResponse } from './layer-mapping.ts';
import { limitOf, pageLimit } from './request-mapping.ts';

export interface RunHandlersDeps {
  readonly commitRun: CommitRun;
  readonly rollbackRun: RollbackRun;
  readonly diffRun: DiffRun;
}

/** What becomes of the changes of a run. */
export function runHandlers(
  deps: RunHandlersDeps,
): Pick<ServiceImpl<typeof FileSystemService>, 'commitRun' | 'rollbackRun' | 'diffRun'> {
  return {
    async commitRun({ viewId, epoch, overwrite: overwrites }, context) {
      const request = { viewId, epoch: epochOf(epoch), overwrites };
      return toCommitResponse(await deps.commitRun.execute(requireIdentity(context), request, context.signal));
    },
    async rollbackRun({ viewId, epoch }, context) {
      const request = { viewId, epoch: epochOf(epoch) };
      return toRollbackResponse(await deps.rollbackRun.execute(requireIdentity(context), request));
    },
    async diffRun({ viewId, pageSize, pageToken }, context) {
      const request = { viewId, pageSize: limitOf(pageSize, pageLimit), pageToken };
      return toDiffResponse(await deps.diffRun.execute(requireIdentity(context), request));
    },
  };
}
