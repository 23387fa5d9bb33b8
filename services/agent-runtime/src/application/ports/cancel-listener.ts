/** Hears which runs are to be cancelled, long before the driver's next ack would say so. */
export interface CancelListener {
  /**
   * Calls `onCancel` for every cancel that any replica announces, until what it returns is disposed. `onCancel` returns
   * true when the run was held here and is being aborted: only then does this replica answer the announcement.
   */
  listen(onCancel: (runId: string) => boolean): AsyncDisposable | Promise<AsyncDisposable>;
}
