import {
  cancellableStatuses,
  type Run,
  type RunStatus,
  runStatusesBefore,
  unfinishedStatuses,
} from '../../domain/run/run.ts';
import { sessionStatusesBefore } from '../../domain/session/session.ts';

/** The guarded statements about runs, with the allowed statuses of the domain's tables written out. */

const list = (statuses: readonly string[]) => statuses.map((status) => `'${status}'`).join(', ');

export const occupySession = `update sessions
  set status = 'RUNNING', active_run_id = ?, epoch = epoch + 1, last_seq = last_seq + ?, last_ctx_seq = last_ctx_seq + ?,
    updated_at = ?
  where id = ? and uid = ? and status = 'IDLE' and epoch = ? and last_seq = ? and deleted_at is null`;

export const releaseSession = `update sessions
  set status = 'IDLE', active_run_id = null, last_seq = last_seq + ?, last_ctx_seq = last_ctx_seq + ?, last_append = ?,
    updated_at = ?
  where id = ? and active_run_id = ? and epoch = ? and last_seq = ?
    and status in (${list(sessionStatusesBefore('IDLE'))})`;

export const claimSession = `update sessions set epoch = epoch + 1
  where id = ? and active_run_id = ? and epoch = ?`;

export const claimRun = `update runs set owner_id = ?, epoch = epoch + 1, attempt = attempt + 1
  where id = ? and epoch = ? and status in (${list(unfinishedStatuses)})`;

export const requestCancel = `update runs
  set cancel_requested_at = coalesce(cancel_requested_at, ?), cancel_reason = coalesce(cancel_reason, ?)
  where id = ? and session_id = ? and status in (${list(cancellableStatuses)})`;

export const beginFinishing = `update runs set status = 'FINISHING'
  where id = ? and epoch = ? and cancel_requested_at is null and status in (${list(runStatusesBefore('FINISHING'))})`;

/** Ends a run. A cancelled one needs the flag, a completed one went through FINISHING. */
export function endRun(status: RunStatus): string {
  const flag = status === 'CANCELLED' ? ' and cancel_requested_at is not null' : '';
  return `update runs set status = '${status}', owner_id = null, terminal_seq = ?, ending = ?, ended_at = ?
    where id = ? and epoch = ?${flag} and status in (${list(runStatusesBefore(status))})`;
}

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
] as const;

/** Values of a new run, in the order of {@link runColumns}. */
export function runValues(run: Run) {
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
  ];
}
