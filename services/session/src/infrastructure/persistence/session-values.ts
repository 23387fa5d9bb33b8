import type { SqlValue } from '@spanwise/persistence';
import type { Session } from '../../domain/session/session.ts';
import { encodePolicy } from './record-mapping.ts';

export const sessionColumns = [
  'id',
  'uid',
  'request_id',
  'title',
  'tool_policy',
  'status',
  'active_run_id',
  'epoch',
  'last_seq',
  'first_seq',
  'last_ctx_seq',
  'created_at',
  'updated_at',
] as const;

/** Values of a session, in the order of {@link sessionColumns}. */
export function sessionValues(session: Session): SqlValue[] {
  return [
    session.id,
    session.uid,
    session.requestId === '' ? null : session.requestId,
    session.title,
    encodePolicy(session.toolPolicy),
    session.status,
    session.activeRunId ?? null,
    session.epoch,
    session.lastSeq,
    session.firstSeq,
    session.lastContextSeq,
    session.createdAtMs,
    session.updatedAtMs,
  ];
}
