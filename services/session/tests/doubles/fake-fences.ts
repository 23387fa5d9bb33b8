import type { SessionId } from '@spanwise/kernel';
import type { Fences, StoppedCall } from '../../src/application/ports/fences.ts';

/** Fences that keep what they were asked, and answer what the test says. */
export class FakeFences implements Fences {
  readonly raised: { readonly sessionId: SessionId; readonly epoch: number }[] = [];
  readonly stopped: { readonly sessionId: SessionId; readonly epoch: number }[] = [];
  /** What was executed when the fence came. */
  calls: readonly StoppedCall[] = [];
  /** Set: they do not answer. */
  failure: Error | undefined;

  async raise(sessionId: SessionId, epoch: number): Promise<void> {
    this.#mayFail();
    this.raised.push({ sessionId, epoch });
  }

  async stop(sessionId: SessionId, epoch: number): Promise<readonly StoppedCall[]> {
    this.#mayFail();
    this.stopped.push({ sessionId, epoch });
    return this.calls;
  }

  #mayFail(): void {
    if (this.failure !== undefined) {
      throw this.failure;
    }
  }
}
