/** Tells the time. Injected, so that tests decide it. */
export interface Clock {
  /** Milliseconds since 1970 UTC. May jump; for records. */
  nowMs(): number;
  /** Milliseconds that never run backwards; for measuring. */
  monotonicMs(): number;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
