import { type Client, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { CommitResult, FileSystemService, LayerState } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { callOptions, errorInfoOf, toDomainError } from '@spanwise/service-kit';
import type { FilesRequest, Publication, Rollback, RunFiles } from '../../application/ports/run-files.ts';
import { filesystemUnavailable } from '../../domain/run/run-errors.ts';

/** How long one call may take; what it has not written by then is written by the next one. */
const callMs = 30_000;

const results: Readonly<Record<CommitResult, Publication['result']>> = {
  // Never sent. Nothing is claimed to be published that is not.
  [CommitResult.UNSPECIFIED]: 'partial',
  [CommitResult.PUBLISHED]: 'published',
  [CommitResult.PARTIAL]: 'partial',
  [CommitResult.CONFLICT]: 'conflict',
  [CommitResult.ROLLED_BACK]: 'rolled-back',
};

/** A view without a layer was opened for an older version: what was written there is on the disks themselves. */
const publishedStates: readonly LayerState[] = [LayerState.PUBLISHED, LayerState.PUBLISHING, LayerState.UNSPECIFIED];

/** The layers of runs in the filesystem service, on a connection of its own: it waits behind no run and no fence. */
export class ConnectRunFiles implements RunFiles {
  readonly #filesystem: Client<typeof FileSystemService>;

  constructor(filesystem: Transport) {
    this.#filesystem = createClient(FileSystemService, filesystem);
  }

  async commit(request: FilesRequest, signal: AbortSignal): Promise<Publication> {
    const { runId: viewId, epoch } = request;
    const answer = await answered(() =>
      this.#filesystem.commitRun({ viewId, epoch: BigInt(epoch) }, optionsOf(request, signal)),
    );
    return {
      result: results[answer.result] ?? 'partial',
      conflicts: answer.conflicts.length,
      unpublished: answer.unpublished,
      outputs: answer.outputs.map(({ path, size, etag, mediaType }) => ({ path, size, etag, mediaType })),
    };
  }

  async rollback(request: FilesRequest, signal: AbortSignal): Promise<Rollback> {
    const { runId: viewId, epoch } = request;
    const { state, changes } = await answered(() =>
      this.#filesystem.rollbackRun({ viewId, epoch: BigInt(epoch) }, optionsOf(request, signal)),
    );
    return { changes, isPublished: publishedStates.includes(state) };
  }
}

function optionsOf({ caller, span }: FilesRequest, signal: AbortSignal) {
  const { uid, email, token } = caller;
  const within = AbortSignal.any([signal, AbortSignal.timeout(callMs)]);
  return callOptions({ identity: { uid, email, token }, span }, within);
}

/** What the service itself says is an answer; anything else means that it was not reached. */
async function answered<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    const isOwn = error instanceof ConnectError && errorInfoOf(error) !== undefined;
    throw isOwn ? toDomainError(error) : filesystemUnavailable(error);
  }
}
