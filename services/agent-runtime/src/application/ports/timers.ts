/** Calls back later. Injected, so that no test has to wait. */
export interface Timers {
  /** Calls back once, `delayMs` from now, unless the returned function is called before. */
  after(delayMs: number, callback: () => void): () => void;
}
