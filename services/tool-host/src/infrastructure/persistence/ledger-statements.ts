import type { Database } from '@spanwise/persistence';
import { databaseNow } from './database-now.ts';

/** The statements of the ledger: guards are in `where`, and what matched no row did not happen. */
export function ledgerStatements(database: Pick<Database, 'dialect'>) {
  const now = databaseNow(database);
  const isMySql = database.dialect === 'mysql';
  const mine = "where run_id = ? and call_id = ? and mark = ? and state = 'STARTED'";
  const select = `select e.*, case when i.lease_until > ${now} then 1 else 0 end as is_alive from executions e
    left join instances i on i.id = e.instance_id`;
  return {
    readFence: 'select epoch from fences where session_id = ?',
    /** Changes nothing, and holds the row: whoever raises the fence waits until this transaction ends. */
    holdFence: 'update fences set epoch = epoch where session_id = ? and epoch <= ?',
    /** It only rises; a row that is not there yet is made, for what is not there can not be held. */
    raiseFence: isMySql
      ? 'insert into fences (session_id, epoch) values (?, ?) on duplicate key update epoch = greatest(epoch, values(epoch))'
      : 'insert into fences (session_id, epoch) values (?, ?) on conflict (session_id) do update set epoch = max(epoch, excluded.epoch)',
    isLeased: `select id from instances where id = ? and lease_until > ${now}`,
    find: `${select} where e.run_id = ? and e.call_id = ?`,
    started: `${select} where e.session_id = ? and e.state = 'STARTED' order by e.call_id`,
    insert: `insert into executions
      (run_id, call_id, session_id, instance_id, mark, attempt, epoch, tool, effect, args_hash, state, interrupt, approval,
        audit, created_at, updated_at)
      values (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ${now}, ${now})`,
    beginAgain: `update executions set instance_id = ?, mark = ?, attempt = attempt + 1, epoch = ?,
      state = ?, interrupt = coalesce(?, interrupt), approval = coalesce(?, approval), audit = ?,
      result = null, updated_at = ${now} where run_id = ? and call_id = ? and mark = ? and state = ?`,
    /** What the verdict on an attempt makes of the row that it found. */
    judge: `update executions set state = ?, updated_at = ${now}
      where run_id = ? and call_id = ? and mark = ? and state = ?`,
    settle: `update executions set state = ?, interrupt = coalesce(?, interrupt), result = ?, updated_at = ${now} ${mine}`,
    lose: `update executions set state = 'UNKNOWN', updated_at = ${now} ${mine}
      and not exists (select 1 from instances i where i.id = executions.instance_id and i.lease_until > ${now})`,
    withdrawFirst: `delete from executions ${mine} and attempt = 1`,
    withdrawAgain: `update executions
      set state = case when interrupt is null then 'UNKNOWN' else 'SUSPENDED' end, updated_at = ${now} ${mine}`,
    deleteStarted: `delete from executions ${mine}`,
    deleteSession: 'delete from executions where session_id = ?',
    /** What servers have asked in calls of the session. */
    deleteQuestions: 'delete from remote_questions where session_id = ?',
  };
}
