import type { RunId, SessionId } from '@spanwise/kernel';
import type { Peers, TailStep } from '../../src/application/ports/peers.ts';
import type { SessionHub } from '../../src/application/session-hub.ts';
import { TailSession } from '../../src/application/tail-session.ts';
import { runtimeUnavailable } from '../../src/domain/run/run-errors.ts';

/** Other replicas in this process, by their addresses, with connections that can be cut. */
export class InProcessPeers implements Peers {
  readonly hubs = new Map<string, SessionHub>();
  /** Addresses that were asked for a tail, in order. */
  readonly asked: string[] = [];
  readonly cancelled: RunId[] = [];
  readonly released: RunId[] = [];
  readonly #cuts = new Set<AbortController>();

  /** Tails that are open. */
  get open(): number {
    return this.#cuts.size;
  }

  /** Breaks all tails that are open. */
  cut(): void {
    this.#cuts.forEach((each) => each.abort());
  }

  async *tail(address: string, sessionId: SessionId, signal: AbortSignal): AsyncGenerator<TailStep> {
    this.asked.push(address);
    const hub = this.hubs.get(address);
    if (hub === undefined) {
      throw runtimeUnavailable('nobody there');
    }
    const cut = new AbortController();
    this.#cuts.add(cut);
    try {
      for await (const step of new TailSession({ hub }).execute(sessionId, AbortSignal.any([signal, cut.signal]))) {
        if (cut.signal.aborted) {
          break;
        }
        yield step;
      }
      if (cut.signal.aborted) {
        throw runtimeUnavailable('cut');
      }
    } finally {
      this.#cuts.delete(cut);
    }
  }

  async notifyCancel(_address: string, runId: RunId): Promise<boolean> {
    this.cancelled.push(runId);
    return true;
  }

  async notifyReleased(_address: string, runId: RunId): Promise<void> {
    this.released.push(runId);
  }
}
