/** Pauses that grow: 100 ms, then twice as long each time, up to 5 s, each up to a quarter shorter. */
export class Backoff {
  #pauses = 0;

  /** Waits for the next pause to be over, or for the signal. */
  async wait(signal: AbortSignal): Promise<void> {
    const fullMs = Math.min(firstMs * 2 ** this.#pauses, maxMs);
    this.#pauses += 1;
    await pause(fullMs * (1 - Math.random() / 4), signal);
  }

  reset(): void {
    this.#pauses = 0;
  }
}

const firstMs = 100;
const maxMs = 5_000;

/** Resolves after a time, or as soon as the signal is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
