import type { Clock, IdGenerator } from '@spanwise/kernel';
import type { InstanceRepository } from '../domain/instance/instance-repository.ts';

export interface KeepLeaseDeps {
  readonly instances: InstanceRepository;
  readonly ids: Pick<IdGenerator, 'uuid'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly leaseMs: number;
  readonly renewMs: number;
  /** True: no other process uses the database, so all other instances are dead. */
  readonly isAlone: boolean;
  /** The lease is, or may soon be, taken for over: whatever relies on it ends now. */
  readonly onLost: () => void;
  /** Called each time that the database has answered. */
  readonly onRenewed: () => void;
  readonly onError: (error: unknown) => void;
}

/** After how much of a lease its holder gives it up, on a clock of its own: others wait for the whole. */
export function giveUpMs(leaseMs: number): number {
  return leaseMs * 0.6;
}

/** Instances that have been dead that long are forgotten. */
const forgetMs = 24 * 60 * 60 * 1000;

/**
 * The lease of this process: registers it, renews the lease, and once it is lost begins anew under another id. Others take
 * what an instance executes for lost when its lease has run out, so the holder stops before that.
 */
export class KeepLease implements AsyncDisposable {
  readonly #deps: KeepLeaseDeps;
  #id: string;
  #address = '';
  readonly #ownIds = new Set<string>();
  /** When the last renewal that went well was asked for; undefined while there is no lease. */
  #heldSinceMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #isBusy = false;
  #isOver = false;

  constructor(deps: KeepLeaseDeps) {
    this.#deps = deps;
    this.#id = deps.ids.uuid();
  }

  /** Id of the instance; another one after the lease was lost. */
  get id(): string {
    return this.#id;
  }

  /** True for an id that this process has, or had before a lease was lost. */
  owns(id: string): boolean {
    return this.#ownIds.has(id);
  }

  /** Registers under the base URL at which other replicas reach this process, and keeps the lease from now on. When the database is away it goes on trying: nothing begins until then. */
  async start(address: string): Promise<void> {
    const { renewMs } = this.#deps;
    this.#address = address;
    await this.#attempt();
    this.#timer = setInterval(() => void this.#attempt(), renewMs).unref();
    this.#watch = setInterval(() => this.#giveUpInTime(), Math.max(10, renewMs / 4)).unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#timer);
    clearInterval(this.#watch);
    // If it can not be said, the lease runs out by itself.
    await this.#deps.instances.remove(this.#id).catch(this.#deps.onError);
  }

  async #attempt(): Promise<void> {
    if (this.#isBusy || this.#isOver) {
      return;
    }
    this.#isBusy = true;
    try {
      await (this.#heldSinceMs === undefined ? this.#register() : this.#renew());
      this.#deps.onRenewed();
    } catch (error) {
      this.#deps.onError(error);
    } finally {
      this.#isBusy = false;
    }
  }

  async #register(): Promise<void> {
    const { instances, ids, leaseMs, clock, isAlone } = this.#deps;
    // Of an attempt that was committed and not answered nobody knows how long its lease runs: it is left to run out.
    const id = ids.uuid();
    this.#ownIds.add(id);
    const askedMs = clock.monotonicMs();
    await (isAlone ? instances.removeAll() : instances.removeDead(forgetMs));
    await instances.register({ id, address: this.#address }, leaseMs);
    this.#id = id;
    this.#heldSinceMs = askedMs;
  }

  async #renew(): Promise<void> {
    const { instances, leaseMs, clock } = this.#deps;
    const id = this.#id;
    const askedMs = clock.monotonicMs();
    const isRenewed = await instances.renew(id, leaseMs);
    if (id !== this.#id) {
      return;
    }
    if (isRenewed) {
      this.#heldSinceMs = askedMs;
    } else {
      this.#lose();
      await this.#register();
    }
  }

  #giveUpInTime(): void {
    const { clock, leaseMs } = this.#deps;
    if (this.#heldSinceMs !== undefined && clock.monotonicMs() - this.#heldSinceMs > giveUpMs(leaseMs)) {
      this.#lose();
    }
  }

  /** The id changes at once: nothing may begin under a lease that nobody renews. */
  #lose(): void {
    this.#id = this.#deps.ids.uuid();
    this.#heldSinceMs = undefined;
    this.#deps.onLost();
  }
}
