import { type Client, createClient, type Transport } from '@connectrpc/connect';
import { FileSystemService } from '@spanwise/contracts/spanwise/filesystem/v1/filesystem';
import { ToolHostService } from '@spanwise/contracts/spanwise/tool/v1/tool';
import type { IdGenerator, SessionId, Uid } from '@spanwise/kernel';
import { callOptions, toDomainError } from '@spanwise/service-kit';
import type { SessionData } from '../../application/ports/session-data.ts';
import { offTheRecord } from './off-the-record.ts';

/** How long deleting the data of one session may take. */
const deleteMs = 60_000;

/** What tool-host and filesystem keep of sessions. */
export class ConnectSessionData implements SessionData {
  readonly #toolHost: Client<typeof ToolHostService>;
  readonly #filesystem: Client<typeof FileSystemService>;
  readonly #ids: IdGenerator;

  constructor(toolHost: Transport, filesystem: Transport, ids: IdGenerator) {
    this.#toolHost = createClient(ToolHostService, toolHost);
    this.#filesystem = createClient(FileSystemService, filesystem);
    this.#ids = ids;
  }

  async delete(sessionId: SessionId, uid: Uid, signal: AbortSignal): Promise<void> {
    const identity = { uid, email: '', token: '' };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(deleteMs)]);
    const options = callOptions({ identity, span: offTheRecord(this.#ids) }, limit);
    try {
      await Promise.all([
        this.#toolHost.deleteSessionData({ sessionId }, options),
        this.#filesystem.deleteSessionData({ sessionId }, options),
      ]);
    } catch (error) {
      throw toDomainError(error);
    }
  }
}
