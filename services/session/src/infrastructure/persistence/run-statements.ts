import {
  cancellableStatuses,
  drivenStatuses,
  type Run,
  type RunStatus,
  runStatusesBefore,
} from '../../domain/run/run.ts';
import { sessionStatusesBefore } from '../../domain/session/session.ts';

/** The guarded statements about runs, with the allowed statuses of the domain's tables written out. */

const list = (statuses: readonly string[]) => statuses.map((status) => `'${status}'`).join(', ');

/** Guards: startsOnlyWhenIdle, startsOnlyWhenNotDeleted. */
export const occupySession = `update sessions
  set status = 'RUNNING', active_run_id = ?, epoch = epoch + 1, last_seq = last_seq + ?, last_ctx_seq = last_ctx_seq + ?,
    updated_at = ?
  where id = ? and uid = ? and status = 'IDLE' and epoch = ? and last_seq = ? and deleted_at is null`;

/**
 * The last append of a run whose session has nothing in its queue.
 * Guards: releasesSessionWithTerminal, appendsAtLastSeq, appendsOnlyInOwnEpoch, promotesWithFinish.
 */
export const releaseSession = `update sessions
  set status = 'IDLE', active_run_id = null, last_seq = last_seq + ?, last_ctx_seq = last_ctx_seq + ?, last_append = ?,
    updated_at = ?
  where id = ? and active_run_id = ? and epoch = ? and last_seq = ? and queued = 0
    and status in (${list(sessionStatusesBefore('IDLE'))})`;

/** The last append of a run that another one follows; in the same transaction comes {@link passSession}. */
export const appendLast = `update sessions
  set last_seq = last_seq + ?, last_ctx_seq = last_ctx_seq + ?, last_append = ?, updated_at = ?
  where id = ? and active_run_id = ? and epoch = ? and last_seq = ? and queued > 0
    and status in (${list(sessionStatusesBefore('IDLE'))})`;

export const passSession = `update sessions
  set status = 'RUNNING', active_run_id = ?, epoch = epoch + 1, queued = queued - 1, last_seq = last_seq + ?,
    last_ctx_seq = last_ctx_seq + ?
  where id = ?`;

export const promoteRun = `update runs
  set status = 'RUNNING', owner_id = ?, epoch = ?, attempt = 1, start_seq = ?, deadline_at = ?, progress_seq = ?,
    claimed_at = ?, input = null, queue_no = null
  where id = ? and status in (${list(runStatusesBefore('RUNNING'))})`;

/**
 * Locks a session that a run occupies, so that nothing else is decided about it meanwhile.
 * Guards: enqueuesOnlyWhenActive, startsOnlyWhenNotDeleted.
 */
export const lockBusySession = `update sessions set updated_at = ?
  where id = ? and active_run_id = ? and deleted_at is null`;

export const enterQueue = 'update sessions set queued = queued + 1 where id = ?';
export const leaveQueue = 'update sessions set queued = queued - 1 where id = ? and queued > 0';

const dequeued = `update runs set status = 'CANCELLED', sealed_token = null, cancel_requested_at = ?, cancel_reason = ?, ending = ?, ended_at = ?,
    input = null, queue_no = null`;
export const dequeueRun = `${dequeued} where id = ? and session_id = ? and status = 'QUEUED'`;
export const dequeueAll = `${dequeued} where session_id = ? and status = 'QUEUED'`;

/** Guards: promotesTheOldest. */
export const nextQueued = `select * from runs where session_id = ? and status = 'QUEUED' order by queue_no limit 1`;

/** Guards: claimRaisesEpoch, claimsAtReadEpoch, claimsOnlyActiveRun. */
export const claimSession = `update sessions set epoch = epoch + 1
  where id = ? and active_run_id = ? and epoch = ?`;

/** Guards: announcesAttempt. */
export const announceClaim = `update sessions
  set last_seq = last_seq + ?, updated_at = ?, status = ? where id = ? and epoch = ?`;

/** Guards: everyDispatchHasItsEpoch, resumesOnlyWaiting. */
export const claimRun = `update runs
  set owner_id = ?, epoch = epoch + 1, attempt = attempt + 1, no_progress_attempts = ?, progress_seq = ?, status = ?,
    deadline_at = ?, claimed_at = ?, remaining_ms = null, wake_at = null
  where id = ? and epoch = ? and status in (${list([...drivenStatuses, 'WAITING'])})`;

/** Guards: releasesUnheldRuns. */
export const releaseRun = `update runs set owner_id = null
  where id = ? and epoch = ? and owner_id = ? and status in (${list([...drivenStatuses, 'WAITING'])})`;

export const ownedRuns = `select id, epoch, cancel_requested_at from runs
  where owner_id = ? and status in (${list([...drivenStatuses, 'WAITING'])})`;

export const waitSession = `update sessions
  set status = 'WAITING', last_seq = last_seq + ?, last_append = ?, updated_at = ?
  where id = ? and active_run_id = ? and epoch = ? and last_seq = ?
    and status in (${list(sessionStatusesBefore('WAITING'))})`;

/** Guards: waitingUnlessCancelRequested, waitsOnlyForUnanswered. */
export const waitRun = `update runs
  set status = 'WAITING', owner_id = null, remaining_ms = deadline_at - ?, deadline_at = null,
    wake_at = (select min(expires_at) from interrupts where run_id = ? and answered_at is null)
  where id = ? and epoch = ? and cancel_requested_at is null and status in (${list(runStatusesBefore('WAITING'))})
    and exists (select 1 from interrupts where run_id = ? and answered_at is null)`;

/** Guards: cancelsOnlyCancellable. */
export const requestCancel = `update runs
  set cancel_requested_at = coalesce(cancel_requested_at, ?), cancel_reason = coalesce(cancel_reason, ?)
  where id = ? and session_id = ? and status in (${list(cancellableStatuses.filter((status) => status !== 'QUEUED'))})`;

/** Guards: rollsBackInOneStatement, rollsBackOnlyUndecided. */
export const requestRollback = `update runs
  set rolls_back = 1, cancel_requested_at = coalesce(cancel_requested_at, ?), cancel_reason = coalesce(cancel_reason, ?)
  where id = ? and session_id = ? and status in (${list(cancellableStatuses.filter((status) => status !== 'QUEUED'))})`;

/** Guards: finishingUnlessCancelRequested, decidesFailureBeforePublishing. */
export const beginFinishing = `update runs set status = 'FINISHING', ending = ?
  where id = ? and epoch = ? and cancel_requested_at is null and status in (${list(runStatusesBefore('FINISHING'))})`;

/**
 * Ends a run. A cancelled one needs the flag, a completed one went through FINISHING; one that is to be rolled back ends in
 * no other way. Guards: onlyTheFlagCancels, endsMarkedOnlyRolledBack.
 */
export function endRun(status: RunStatus, rollsBack: boolean): string {
  const flag = `${status === 'CANCELLED' ? ' and cancel_requested_at is not null' : ''} and rolls_back = ${rollsBack ? 1 : 0}`;
  return `update runs set status = '${status}', owner_id = null, sealed_token = null, terminal_seq = ?, ending = ?, ended_at = ?
    where id = ? and epoch = ?${flag} and status in (${list(runStatusesBefore(status))})`;
}

/** The messages of a run that was rolled back are no longer part of the dialogue. Guards: supersedesWithFinish. */
export const supersedeContext = `update llm_context set superseded_at_seq = ?
  where session_id = ? and run_id = ? and superseded_at_seq is null`;

export const runColumns = [
  'id',
  'session_id',
  'request_id',
  'request_fp',
  'status',
  'owner_id',
  'epoch',
  'attempt',
  'options',
  'span_id',
  'trace_id',
  'trace_flags',
  'start_seq',
  'terminal_seq',
  'deadline_at',
  'created_at',
  'email',
  'sealed_token',
  'progress_seq',
  'claimed_at',
  'queue_no',
  'input',
] as const;

/** Values of a new run, in the order of {@link runColumns}; `queue` when it waits. */
export function runValues(run: Run, progressSeq: number, queue?: { readonly no: number; readonly input: string }) {
  return [
    run.id,
    run.sessionId,
    run.requestId,
    run.fingerprint,
    run.status,
    run.ownerId ?? null,
    run.epoch,
    run.attempt,
    JSON.stringify(run.options),
    run.span.span.id,
    run.span.traceId,
    run.span.traceFlags,
    run.startSeq,
    run.terminalSeq,
    run.deadlineAtMs ?? null,
    run.createdAtMs,
    run.email,
    run.sealedToken,
    progressSeq,
    run.createdAtMs,
    queue?.no ?? null,
    queue?.input ?? null,
  ];
}
