/** What may happen to a run from outside while it is driven. */
export interface DriveSignals {
  /** The run is to be cancelled; the flag in the database was set before. */
  readonly cancel: AbortSignal;
  /** This process wants to let go of the run in good order. */
  readonly leave: AbortSignal;
  /** How long a turn may go on from then. */
  readonly leaveGraceMs: () => number;
  /** This process can no longer be sure that the run is its own: it stops at once and writes nothing more. */
  readonly lost: AbortSignal;
}
