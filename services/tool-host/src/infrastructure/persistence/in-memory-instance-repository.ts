import type { Clock } from '@spanwise/kernel';
import type { Instance, InstanceRepository } from '../../domain/instance/instance-repository.ts';

/** Instances and their leases in memory, for tests. */
export class InMemoryInstanceRepository implements InstanceRepository {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #leases = new Map<string, Instance & { readonly leaseUntil: number }>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  isAlive(id: string): boolean {
    return (this.#leases.get(id)?.leaseUntil ?? 0) > this.#clock.nowMs();
  }

  async register(instance: Instance, leaseMs: number): Promise<void> {
    this.#leases.set(instance.id, { ...instance, leaseUntil: this.#clock.nowMs() + leaseMs });
  }

  async renew(id: string, leaseMs: number): Promise<boolean> {
    const lease = this.#leases.get(id);
    if (lease === undefined || !this.isAlive(id)) {
      return false;
    }
    this.#leases.set(id, { ...lease, leaseUntil: this.#clock.nowMs() + leaseMs });
    return true;
  }

  async remove(id: string): Promise<void> {
    this.#leases.delete(id);
  }

  async removeAll(): Promise<void> {
    this.#leases.clear();
  }

  async removeDead(olderThanMs: number): Promise<void> {
    for (const { id, leaseUntil } of this.#leases.values()) {
      if (leaseUntil < this.#clock.nowMs() - olderThanMs) {
        this.#leases.delete(id);
      }
    }
  }

  async alive(): Promise<readonly Instance[]> {
    return [...this.#leases.values()].filter(({ id }) => this.isAlive(id)).map(({ id, address }) => ({ id, address }));
  }
}
