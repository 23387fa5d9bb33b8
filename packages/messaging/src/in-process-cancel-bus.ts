import type { CancelBus, CancelHandler, CancelRequest } from './cancel-bus.ts';

/** The bus of services that live in one process. */
export class InProcessCancelBus implements CancelBus {
  readonly #handlers = new Set<CancelHandler>();

  async request(request: CancelRequest): Promise<boolean> {
    // Every listener hears it: driver and executor of a run may both be here.
    return [...this.#handlers].map((handler) => handler(request)).includes(true);
  }

  listen(handler: CancelHandler): AsyncDisposable {
    this.#handlers.add(handler);
    return {
      [Symbol.asyncDispose]: async () => {
        this.#handlers.delete(handler);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handlers.clear();
  }
}
