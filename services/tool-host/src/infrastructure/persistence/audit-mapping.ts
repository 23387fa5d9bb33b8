import type { Database, SqlValue } from '@spanwise/persistence';
import type { AuditEntry } from '../../domain/audit/audit-entry.ts';
import { databaseNow } from './database-now.ts';

/** The statement that adds a line to `audit`, at the time of the database; its values are {@link auditValues}. */
export function insertAudit(database: Pick<Database, 'dialect'>): string {
  return `insert into audit (id, time_ms, uid, session_id, run_id, call_id, tool, tool_version, effect, decision, rule,
      args_hash, targets, outcome, code, trace_id)
    values (?, ${databaseNow(database)}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
}

export function auditValues(entry: AuditEntry): readonly SqlValue[] {
  const { id, uid, sessionId, runId, callId, tool, toolVersion, effect } = entry;
  const { decision, rule, argsHash, targets, outcome, code, traceId } = entry;
  return [
    ...[id, uid, sessionId, runId, callId, tool, toolVersion, effect],
    ...[decision, rule, argsHash, JSON.stringify(targets), outcome, code, traceId],
  ];
}
