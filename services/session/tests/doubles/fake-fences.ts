import { DomainError, type SessionId } from '@spanwise/kernel';
import type { Fences, StoppedCall } from '../../src/application/ports/fences.ts';

/** Fences that keep what they were asked, and answer what the test says. */
export class FakeFences implements Fences {
  readonly raised: { readonly sessionId: SessionId; readonly epoch: number }[] = [];
  readonly stopped: { readonly sessionId: SessionId; readonly epoch: number }[] = [];
  /** What was executed when the fence came. */
  calls: readonly StoppedCall[] = [];
  /** Set: they do not answer. */
  failure: Error | undefined;
  /** Set: the next time tool-host stops what it executes, but filesystem does not answer. */
  isHalfDeaf = false;

  async raise(sessionId: SessionId, epoch: number): Promise<void> {
    this.#mayFail();
    this.raised.push({ sessionId, epoch });
  }

  async stop(
    sessionId: SessionId,
    epoch: number,
    _signal: AbortSignal,
    onCall: (call: StoppedCall) => void,
  ): Promise<void> {
    this.#mayFail();
    this.stopped.push({ sessionId, epoch });
    this.calls.forEach(onCall);
    // What is stopped is not met a second time.
    this.calls = [];
    if (this.isHalfDeaf) {
      this.isHalfDeaf = false;
      throw new DomainError('unavailable', 'SERVICE_UNAVAILABLE', 'away');
    }
  }

  #mayFail(): void {
    if (this.failure !== undefined) {
      throw this.failure;
    }
  }
}
