import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  ChangeKind,
  CommitResult,
  type CommitRunResponseSchema,
  type DiffRunResponseSchema,
  type LayerChangeSchema,
  LayerState,
  type RollbackRunResponseSchema,
} from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import type { CommitRunOutcome } from '../application/commit-run.ts';
import type { DiffPage } from '../application/diff-run.ts';
import type { RollbackRunOutcome } from '../application/rollback-run.ts';
import type { LayerEntry, LayerState as State } from '../domain/layer/layer-entry.ts';
import { toFileInfo, toOutputInfo } from './view-mapping.ts';

const states: Readonly<Record<State, LayerState>> = {
  OPEN: LayerState.OPEN,
  CONFLICT: LayerState.CONFLICT,
  PUBLISHING: LayerState.PUBLISHING,
  PUBLISHED: LayerState.PUBLISHED,
  ROLLED_BACK: LayerState.ROLLED_BACK,
};

const results: Readonly<Record<CommitRunOutcome['result'], CommitResult>> = {
  PUBLISHED: CommitResult.PUBLISHED,
  PARTIAL: CommitResult.PARTIAL,
  CONFLICT: CommitResult.CONFLICT,
  ROLLED_BACK: CommitResult.ROLLED_BACK,
};

export function toLayerState(state: State | undefined): LayerState {
  return state === undefined ? LayerState.UNSPECIFIED : states[state];
}

export function toCommitResponse(outcome: CommitRunOutcome): MessageInitShape<typeof CommitRunResponseSchema> {
  const { result, conflicts, unpublished, outputs, hasMoreOutputs, changes } = outcome;
  return {
    result: results[result],
    conflicts: conflicts.map(({ path, ...etags }) => ({ ...etags, path: path.text })),
    unpublished: unpublished.map(({ text }) => text),
    outputs: outputs.map(toOutputInfo),
    outputsTruncated: hasMoreOutputs,
    changes,
  };
}

export function toRollbackResponse({
  state,
  changes,
}: RollbackRunOutcome): MessageInitShape<typeof RollbackRunResponseSchema> {
  return { state: toLayerState(state), changes };
}

export function toDiffResponse(page: DiffPage): MessageInitShape<typeof DiffRunResponseSchema> {
  const { changes, nextPageToken, state } = page;
  return { changes: changes.map(toLayerChange), nextPageToken, state: toLayerState(state) };
}

function toLayerChange({ path, node, base }: LayerEntry): MessageInitShape<typeof LayerChangeSchema> {
  const told = { path: path.text, baseEtag: base.etag };
  if (node.kind === 'whiteout') {
    return { ...told, kind: ChangeKind.DELETED };
  }
  const kind = base.kind === 'none' ? ChangeKind.ADDED : ChangeKind.MODIFIED;
  return { ...told, kind, file: toFileInfo({ path, node }) };
}
