import type { Clock } from '@spanwise/kernel';
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
  #id: string;
  #renewedMs: number;
  #loop: Promise<void> = Promise.resolve();
  #watch: NodeJS.Timeout | undefined;

  constructor(deps: LeaseDeps) {
    this.#deps = deps;
    this.#id = deps.newId();
    this.#renewedMs = Number.POSITIVE_INFINITY;
  }

  /** Id of this process, under its current lease. */
  get id(): string {
    return this.#id;
  }

  /** Registers, then keeps the lease until it is disposed. While the database is away it goes on trying. */
  async begin(): Promise<void> {
    try {
      await this.#register();
      this.#loop = this.#renewals();
    } catch (error) {
      this.#deps.onError(error);
      this.#id = this.#deps.newId();
      this.#loop = this.#registerAgain().then(() => this.#renewals());
    }
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
    // Of those that are long dead nobody needs to know any more.
    await this.#deps.instances.removeDead(forgottenMs).catch(this.#deps.onError);
  }

  async #renewals(): Promise<void> {
    const { signal } = this.#stop;
    const { instances, clock, leaseMs, renewMs, onError } = this.#deps;
    while (!signal.aborted) {
      await pause(renewMs, signal);
      // Counted from before the request: the database may have been slow to answer.
      const startedMs = clock.monotonicMs();
      const id = this.#id;
      try {
        const isRenewed = signal.aborted || (await instances.renew(id, leaseMs));
        if (isRenewed && id === this.#id) {
          this.#renewedMs = startedMs;
        } else if (!signal.aborted) {
          this.#lose(id);
          await this.#registerAgain();
        }
      } catch (error) {
        onError(error);
      }
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
    if (this.#deps.clock.monotonicMs() - this.#renewedMs > this.#deps.selfFenceMs) {
      this.#lose(this.#id);
    }
  }

  #lose(id: string): void {
    if (id === this.#id) {
      this.#id = this.#deps.newId();
      this.#renewedMs = Number.POSITIVE_INFINITY;
      this.#deps.onLost();
    }
  }
}
