import { type Clock, DomainError } from '@spanwise/kernel';
import type { InstanceRepository } from '../domain/instance/instance-repository.ts';
import { Backoff, pause } from './backoff.ts';

export interface LeaseTimes {
  /** How long a lease runs without being renewed. */
  readonly leaseMs: number;
  /** How often it is renewed. */
  readonly renewMs: number;
  /** Time without a renewal, on this process's own clock, after which it takes its runs as lost. Less than a lease. */
  readonly selfFenceMs: number;
}

export interface LeaseDeps extends LeaseTimes {
  readonly instances: InstanceRepository;
  /** At which the other replicas reach this one; known once it listens. */
  readonly address: () => string;
  readonly newId: () => string;
  readonly clock: Clock;
  /** Called when the lease is lost: from then on others may have what was driven under it. */
  readonly onLost: () => void;
  readonly onError: (error: unknown) => void;
}

/** How long an instance is remembered after its lease has ended. */
const forgottenMs = 24 * 3_600_000;

/** The time that this process may believe that the runs it drives are its own. A lost lease is replaced, never revived. */
export class Lease implements AsyncDisposable {
  readonly #deps: LeaseDeps;
  readonly #stop = new AbortController();
  #lost = new AbortController();
  #id: string;
  #renewedMs: number;
  #loop: Promise<void> = Promise.resolve();
  #watch: NodeJS.Timeout | undefined;

  constructor(deps: LeaseDeps) {
    this.#deps = deps;
    this.#id = deps.newId();
    this.#renewedMs = Number.POSITIVE_INFINITY;
  }

  /** Id of this process, under its current lease. Throws DATABASE_UNAVAILABLE while it has none. */
  get id(): string {
    if (!this.isHeld) {
      throw notRegistered();
    }
    return this.#id;
  }

  get isHeld(): boolean {
    return Number.isFinite(this.#renewedMs);
  }

  /** Registers, then keeps the lease until it is disposed. While the database is away it goes on trying. */
  async begin(): Promise<void> {
    try {
      await this.#register();
    } catch (error) {
      this.#deps.onError(error);
      this.#id = this.#deps.newId();
    }
    this.#loop = this.#renewals();
    // A renewal may hang in a database that does not answer: the time is looked at beside it.
    this.#watch = setInterval(() => this.#checkTime(), this.#deps.renewMs / 3);
    this.#watch.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#watch);
    await this.#loop;
    await this.#deps.instances.remove(this.#id).catch(this.#deps.onError);
  }

  async #register(): Promise<void> {
    const startedMs = this.#deps.clock.monotonicMs();
    await this.#deps.instances.register({ id: this.#id, address: this.#deps.address() }, this.#deps.leaseMs);
    this.#renewedMs = startedMs;
    this.#lost = new AbortController();
    // Of those that are long dead nobody needs to know any more.
    await this.#deps.instances.removeDead(forgottenMs).catch(this.#deps.onError);
  }

  async #renewals(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (this.isHeld) {
        await pause(this.#deps.renewMs, AbortSignal.any([signal, this.#lost.signal]));
        await this.#renew(signal);
      } else {
        await this.#registerAgain();
      }
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { instances, clock, leaseMs, onError } = this.#deps;
    const id = this.#id;
    if (signal.aborted || !this.isHeld) {
      return;
    }
    // Counted from before the request: the database may have been slow to answer.
    const startedMs = clock.monotonicMs();
    try {
      if (!(await instances.renew(id, leaseMs))) {
        this.#lose(id);
      } else if (id === this.#id) {
        this.#renewedMs = startedMs;
      }
    } catch (error) {
      onError(error);
    }
  }

  async #registerAgain(): Promise<void> {
    const backoff = new Backoff();
    for (let isDone = false; !isDone && !this.#stop.signal.aborted; ) {
      try {
        await this.#register();
        isDone = true;
      } catch (error) {
        this.#deps.onError(error);
        // It may have been stored after all.
        this.#id = this.#deps.newId();
        await backoff.wait(this.#stop.signal);
      }
    }
  }

  #checkTime(): void {
    if (this.#isOverdue()) {
      // A process that was busy for long meets its timers first, and the answer that has come meanwhile after them.
      setImmediate(() => {
        if (this.#isOverdue()) {
          this.#lose(this.#id);
        }
      });
    }
  }

  #isOverdue(): boolean {
    return this.#deps.clock.monotonicMs() - this.#renewedMs > this.#deps.selfFenceMs;
  }

  #lose(id: string): void {
    if (id === this.#id) {
      this.#id = this.#deps.newId();
      this.#renewedMs = Number.POSITIVE_INFINITY;
      this.#lost.abort();
      this.#deps.onLost();
    }
  }
}

/** This process is not known to the others yet, or no longer: what it began now would be taken from it. */
function notRegistered(): DomainError {
  return new DomainError('unavailable', 'DATABASE_UNAVAILABLE', 'The process has no lease: try again.', {
    retryAfterMs: 1000,
  });
}
