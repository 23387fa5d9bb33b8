import type { Uid } from '@spanwise/kernel';

interface UserSlots {
  taken: number;
  readonly waiting: (() => void)[];
}

/** How many tools of one user are at work at once in this process: nobody fills it up for all others. */
export class CallSlots {
  readonly #limit: number;
  readonly #users = new Map<Uid, UserSlots>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Waits for a slot; it is given back by disposing of it. Throws the reason of `signal`. */
  async take(uid: Uid, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    const slots = this.#users.get(uid) ?? { taken: 0, waiting: [] };
    this.#users.set(uid, slots);
    if (slots.taken < this.#limit) {
      slots.taken += 1;
    } else {
      await waitIn(slots.waiting, signal);
    }
    return { [Symbol.dispose]: () => this.#giveBack(uid, slots) };
  }

  /** To who waits longest: the number that is taken stays. */
  #giveBack(uid: Uid, slots: UserSlots): void {
    const next = slots.waiting.shift();
    if (next !== undefined) {
      next();
      return;
    }
    slots.taken -= 1;
    if (slots.taken === 0) {
      this.#users.delete(uid);
    }
  }
}

function waitIn(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const begin = () => {
      signal.removeEventListener('abort', leave);
      resolve();
    };
    const leave = () => {
      waiting.splice(waiting.indexOf(begin), 1);
      reject(signal.reason);
    };
    waiting.push(begin);
    signal.addEventListener('abort', leave, { once: true });
  });
}
