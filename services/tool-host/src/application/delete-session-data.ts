import type { SessionId } from '@spanwise/kernel';
import { highestEpoch, type Ledger } from '../domain/execution/ledger.ts';
import type { Caller } from '../domain/tool/tool-call.ts';
import type { FenceSession } from './fence-session.ts';

export interface DeleteSessionDataDeps {
  readonly ledger: Ledger;
  readonly fenceSession: FenceSession;
}

/** Ends what a session still executes, forgets its executions, and leaves it shut for good. */
export class DeleteSessionData {
  readonly #deps: DeleteSessionDataDeps;

  constructor(deps: DeleteSessionDataDeps) {
    this.#deps = deps;
  }

  /** Throws DATABASE_UNAVAILABLE; it may be called again. */
  async execute(caller: Caller, sessionId: SessionId): Promise<void> {
    const { ledger, fenceSession } = this.#deps;
    await fenceSession.execute({ caller, sessionId, epoch: highestEpoch, isStop: true, isLocal: false });
    await ledger.deleteSession(sessionId);
  }
}
