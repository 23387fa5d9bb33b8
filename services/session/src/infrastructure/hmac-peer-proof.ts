import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@spanwise/kernel';

/** How far the clocks of replicas, and the way between them, may differ. */
const toleranceMs = 60_000;

/**
 * How replicas of this service prove to each other that they are: HMAC-SHA-256 over the time, with a key that all of them
 * have, as `<unix ms>.<hex>`.
 */
export class HmacPeerProof {
  readonly #key: string;
  readonly #clock: Clock;

  constructor(key: string, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  /** Good for a minute from now. */
  sign(): string {
    const time = String(Math.floor(this.#clock.nowMs()));
    return `${time}.${this.#mac(time).toString('hex')}`;
  }

  /** Whether a proof was made with the key, at most a minute ago or ahead. */
  verifies(proof: string): boolean {
    const [, time = '', mac = ''] = /^(\d{1,15})\.([0-9a-f]{64})$/.exec(proof) ?? [];
    if (time === '') {
      return false;
    }
    const isGenuine = timingSafeEqual(Buffer.from(mac, 'hex'), this.#mac(time));
    return isGenuine && Math.abs(this.#clock.nowMs() - Number(time)) <= toleranceMs;
  }

  #mac(time: string): Buffer {
    return createHmac('sha256', this.#key).update(`peer:${time}`).digest();
  }
}
