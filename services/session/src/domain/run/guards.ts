/**
 * The guards of the run protocol: what each forbids. The statements and use cases that keep one name it, and the model
 * check (tests/protocol-model) shows for each that the protocol breaks without it.
 */
export const runGuards = {
  /** A run starts only in an IDLE session: never beside another run. */
  startsOnlyWhenIdle: 'start',
  /** Nothing is started or enqueued in a deleted session. */
  startsOnlyWhenNotDeleted: 'start',
  /** A run is enqueued only while another is active, in one transaction with that check: never where nobody promotes it. */
  enqueuesOnlyWhenActive: 'enqueue',
  /** Busy policy interrupt: cancelling what is there and enqueueing the new run are one transaction, never half done. */
  interruptsInOneTransaction: 'enqueue',
  /** Deletion cancels the active run and the queue in its own transaction: no run of a deleted session goes on to its end. */
  deletesInOneTransaction: 'delete',

  /** Each append compares last_seq: a repeated append never writes twice. */
  appendsAtLastSeq: 'append',
  /** An append of unknown outcome is recognised by its mark (last_append), never by where the log stands. */
  recognisesOwnAppend: 'append',
  /** An append of unknown outcome is made again before anything else is: a driver never meets itself as a stranger. */
  resolvesAppendBeforeNext: 'append',
  /** A driver's statements compare the epoch: nobody who was fenced changes log or rows. */
  appendsOnlyInOwnEpoch: 'append',
  /** Whoever must write and is no driver takes the epoch first: an epoch never has two writers. */
  oneWriterPerEpoch: 'append',
  /** Watchers see a durable event only after its commit. */
  publishesAfterCommit: 'append',
  /** A checkpoint is committed after all that was streamed before it: it never overtakes events. */
  checkpointBehindStream: 'append',

  /** A claim raises the epoch: attempts never share one. */
  claimRaisesEpoch: 'claim',
  /** A claim compares the epoch that was read: nobody takes a run from an owner that is alive. */
  claimsAtReadEpoch: 'claim',
  /** Only the session's active run, not over, is claimed: no attempt after the terminal event, none of a queued run. */
  claimsOnlyActiveRun: 'claim',
  /** RUN_ATTEMPT is in the claim's transaction: no attempt that the log does not tell of. */
  announcesAttempt: 'claim',
  /** A claimed run with the cancel flag is finished, never dispatched. */
  finishesCancelledClaim: 'claim',
  /** An instance releases runs that it owns and does not hold: no run is stuck behind a claim of unknown outcome. */
  releasesUnheldRuns: 'claim',
  /** Each dispatch, also by the same driver, has its own epoch: an earlier executor never passes for the present one. */
  everyDispatchHasItsEpoch: 'dispatch',
  /** A new attempt fences tool-host before it acts: calls of earlier attempts do not begin any more. */
  fencesBeforeDispatch: 'dispatch',

  /** A call is executed only after its message is committed. */
  intentBeforeEffect: 'call',
  /** A NON_REPEATABLE call that was STARTED is never executed again. */
  nonRepeatableAtMostOnce: 'call',
  /** A repeated IDEMPOTENT call passes the same key on: its effect is not doubled. */
  passesIdempotencyKey: 'call',
  /** A take-over answers only calls that have no result in the log: no call has two. */
  answersOnlyUnanswered: 'call',
  /** A stop refuses also calls of its own epoch that arrive later: nothing begins after the receipt. */
  stopRefusesLateCalls: 'call',

  /** Cancel is accepted only in QUEUED, RUNNING, WAITING: never when completion is decided. */
  cancelsOnlyCancellable: 'cancel',
  /** Cancel is answered only after its flag is committed. */
  acknowledgesCancelAfterCommit: 'cancel',
  /** Only the durable flag makes a run CANCELLED: never a CANCELLED on the wire. */
  onlyTheFlagCancels: 'cancel',
  /** Busy policy rollback: flag and mark are one statement. No driver sees the flag alone, and publishes. */
  rollsBackInOneStatement: 'cancel',
  /** The mark is set in RUNNING and WAITING only: never when it is decided how the run ends. */
  rollsBackOnlyUndecided: 'cancel',
  /** Cancelling a WAITING run makes it due (wake_at) in the same statement: it does not depend on who took the request. */
  cancelMakesWaitingDue: 'cancel',

  /** RUNNING → WAITING only without the cancel flag: no cancelled run goes to sleep. */
  waitingUnlessCancelRequested: 'wait',
  /** RUNNING → WAITING only while an interrupt is unanswered: nobody waits for what has come. */
  waitsOnlyForUnanswered: 'wait',
  /** The last answer to a WAITING run makes it due (wake_at) in the same transaction. */
  answerMakesWaitingDue: 'wait',
  /** An interrupt has one answer: a different second one, or one after its expiry, is refused. */
  answersOnce: 'wait',
  /** WAITING → RUNNING compares status and epoch: a waiting run is resumed once. */
  resumesOnlyWaiting: 'wait',

  /** RUNNING → FINISHING only without the cancel flag: what was cancelled never completes, nor fails by itself. */
  finishingUnlessCancelRequested: 'finish',
  /** Completion is decided (FINISHING) before files are published: a cancel never comes after that, nor a dispatch. */
  decidesBeforePublishing: 'finish',
  /** So is a failure: a run whose files may be published is never dispatched again. */
  decidesFailureBeforePublishing: 'finish',
  /** A claimed run that is FINISHING is published and ended as it was decided, never dispatched. */
  finishesDecidedClaim: 'finish',
  /** Whoever ends a cancelled run looks first whether it is its own: its files are not published while another dispatches. */
  endsOnlyOwnCancelled: 'finish',
  /** Files are published before the run is COMPLETED. */
  publishesBeforeFinish: 'finish',
  /** Publication is idempotent: a take-over in FINISHING repeats it without a second effect. */
  publishesOnce: 'finish',
  /** A run with the mark ends in no other way than rolled back, also when the mark came after its driver had looked. */
  endsMarkedOnlyRolledBack: 'finish',
  /** The messages of a rolled back run leave the context with its terminal event: the next run never sees them. */
  supersedesWithFinish: 'finish',
  /** Terminal event, run row and the session's release are one transaction. */
  releasesSessionWithTerminal: 'finish',
  /** The oldest queued run is promoted in the finish's transaction: none is left in an IDLE session. */
  promotesWithFinish: 'finish',
  /** Of the queue, the oldest is promoted. */
  promotesTheOldest: 'finish',

  /** A model call is sent only after its reservation is committed. */
  reservesBeforeModelCall: 'budget',
  /** A reservation without recorded usage is settled in full at a take-over, never released: the call may have been sent. */
  settlesReservationsInFull: 'budget',
} as const;

export type RunGuard = keyof typeof runGuards;
