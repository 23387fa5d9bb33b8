import { type Client, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { DomainError } from '@spanwise/kernel';
import { callOptions, errorInfoOf, toDomainError } from '@spanwise/service-kit';
import type { Views } from '../../application/ports/views.ts';

/** Time for OpenView. */
const openTimeoutMs = 10_000;

/** Views of the filesystem service over gRPC, for the user of the run. */
export class ConnectViews implements Views {
  readonly #client: Client<typeof FileSystemService>;

  constructor({ transport }: { readonly transport: Transport }) {
    this.#client = createClient(FileSystemService, transport);
  }

  async open(...[run, span, signal]: Parameters<Views['open']>): Promise<void> {
    const { sessionId, runId, identity, runLayer } = run;
    try {
      const options = { ...callOptions({ identity, span }, signal), timeoutMs: openTimeoutMs };
      await this.#client.openView({ viewId: runId, sessionId, runLayer }, options);
    } catch (error) {
      const isOwn = error instanceof ConnectError && errorInfoOf(error) !== undefined;
      throw isOwn ? toDomainError(error) : filesystemUnavailable(error);
    }
  }
}

/** The filesystem service could not be reached. The same run may work later. */
function filesystemUnavailable(cause: unknown): DomainError {
  const message = 'The files of the run could not be reached: try again.';
  return new DomainError('unavailable', 'SERVICE_UNAVAILABLE', message, { cause });
}
