/** A request to stop a run. */
export interface CancelRequest {
  readonly runId: string;
  /** W3C traceparent of whoever asks; empty when there is none. A link, not a parent. */
  readonly traceparent: string;
}

/** Stops the run when it is held here, and tells whether it is. Must not throw and must not wait. */
export type CancelHandler = (request: CancelRequest) => boolean;

/**
 * Carries cancels to whoever holds a run, as fast as it can and without a promise: the durable flag is what counts, and
 * its owner polls it. Nothing else may depend on the bus.
 */
export interface CancelBus extends AsyncDisposable {
  /**
   * Asks all listeners, and again once when nobody answers in time. True as soon as one says that it holds the run; false
   * when nobody does or the broker is away. Never rejects.
   */
  request(request: CancelRequest): Promise<boolean>;
  /** Hears requests until it is disposed; also across broken connections. */
  listen(handler: CancelHandler): AsyncDisposable;
}

/** How long to wait for an answer, and how often to ask. */
export const answerTimeoutMs = 200;
export const attempts = 2;
