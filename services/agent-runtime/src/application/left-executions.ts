/** Tool calls that were left to tool-host: nobody waits for their results here, but their streams keep them alive. */
export class LeftExecutions {
  readonly #executions = new Set<Promise<void>>();

  /** Keeps an execution in mind until it is over, however it ends. */
  add(execution: Promise<unknown>): void {
    const over = execution.then(
      () => undefined,
      () => undefined,
    );
    this.#executions.add(over);
    void over.finally(() => this.#executions.delete(over));
  }

  /** Resolves when none is left. */
  async over(): Promise<void> {
    while (this.#executions.size > 0) {
      await Promise.all(this.#executions);
    }
  }
}
