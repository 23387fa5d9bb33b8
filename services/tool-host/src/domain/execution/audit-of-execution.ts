import { type AuditEntry, type AuditFacts, auditCode } from '../audit/audit-entry.ts';
import type { CallEnd } from '../tool/tool-call.ts';
import type { Execution, ExecutionStart, Settlement } from './execution.ts';

type Attempt = Omit<ExecutionStart, 'answeredInterruptId' | 'asks'>;
type Ended = Pick<AuditEntry, 'outcome' | 'code'>;

const suspended: Ended = { outcome: 'suspended', code: '' };
const lost: Ended = { outcome: 'unknown', code: 'SERVICE_UNAVAILABLE' };

/** The line of an attempt that is settled; undefined for one that needs none: it only reads, and the rules allow it. */
export function auditOfSettlement(start: Attempt, settlement: Settlement): AuditEntry | undefined {
  return auditOf(start, start.audit, settlement.state === 'SUSPENDED' ? suspended : endedAs(settlement.end));
}

/** The line of an attempt that asks instead of beginning. */
export function auditOfAsking(start: Attempt): AuditEntry | undefined {
  return auditOf(start, start.audit, suspended);
}

/** The line of an execution whose process is gone; undefined also for one that was begun before there was an audit. */
export function auditOfLoss(execution: Execution): AuditEntry | undefined {
  return execution.audit && auditOf({ ...execution, audit: execution.audit }, execution.audit, lost);
}

function endedAs({ result }: CallEnd): Ended {
  return { outcome: result.outcome, code: auditCode(result.code) };
}

/** An attempt has one line at most, whose id is its mark. */
function auditOf(attempt: Attempt, facts: AuditFacts, ended: Ended): AuditEntry | undefined {
  const { mark: id, sessionId, runId, callId, tool, effect, argsHash } = attempt;
  const isUnremarkable = effect === 'READ_ONLY' && facts.decision === 'allow';
  return isUnremarkable ? undefined : { ...facts, id, sessionId, runId, callId, tool, effect, argsHash, ...ended };
}
