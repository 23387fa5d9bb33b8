import type { Timers } from '../application/ports/timers.ts';

/** The timers of the process. */
export const systemTimers: Timers = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
