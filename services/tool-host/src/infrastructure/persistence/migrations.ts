import { type ColumnTypes, defineMigration, type NamedMigration } from '@spanwise/persistence';

/** The schema of tool-host, step by step. A step that has landed is never edited. */
export const migrations: readonly NamedMigration[] = [
  defineMigration('0001-executions-fences-instances', (types) => [...executions(types), ...whoMayBegin(types)]),
  defineMigration('0002-approvals', ({ text }) => [`alter table executions add column approval ${text}`]),
  defineMigration('0003-audit', (types) => [`alter table executions add column audit ${types.text}`, ...audit(types)]),
  defineMigration('0004-remote-tools', remoteTools),
];

function executions({ id, key, text, integer, tableOptions }: ColumnTypes): readonly string[] {
  return [
    `create table executions (
      run_id ${id} not null,
      call_id ${id} not null,
      session_id ${id} not null,
      instance_id ${id} not null,
      mark ${id} not null,
      attempt ${integer} not null,
      epoch ${integer} not null,
      tool ${key} not null,
      effect ${key} not null,
      args_hash ${key} not null,
      state ${key} not null,
      interrupt ${text},
      result ${text},
      created_at ${integer} not null,
      updated_at ${integer} not null,
      primary key (run_id, call_id)
    )${tableOptions}`,
    'create index executions_session_state on executions (session_id, state)',
  ];
}

function whoMayBegin({ id, text, integer, tableOptions }: ColumnTypes): readonly string[] {
  return [
    `create table fences (
      session_id ${id} not null primary key,
      epoch ${integer} not null
    )${tableOptions}`,
    `create table instances (
      id ${id} not null primary key,
      address ${text} not null,
      lease_until ${integer} not null
    )${tableOptions}`,
  ];
}

function remoteTools({ id, key, text, integer, tableOptions }: ColumnTypes): readonly string[] {
  return [
    `create table remote_tools (
      server ${key} not null,
      tool ${key} not null,
      hash ${key} not null,
      created_at ${integer} not null,
      primary key (server, tool)
    )${tableOptions}`,
    `create table remote_questions (
      run_id ${id} not null,
      call_id ${id} not null,
      session_id ${id} not null,
      state ${text} not null,
      created_at ${integer} not null,
      primary key (run_id, call_id)
    )${tableOptions}`,
    'create index remote_questions_session on remote_questions (session_id)',
    'create index remote_questions_created on remote_questions (created_at)',
  ];
}

/** Only added to, and deleted from by age. `id` is the mark of the attempt; calls without one have an id of their own. */
function audit({ id, key, text, integer, tableOptions }: ColumnTypes): readonly string[] {
  return [
    `create table audit (
      id ${id} not null primary key,
      time_ms ${integer} not null,
      uid ${key} not null,
      session_id ${id} not null,
      run_id ${id} not null,
      call_id ${id} not null,
      tool ${key} not null,
      tool_version ${key} not null,
      effect ${key} not null,
      decision ${key} not null,
      rule ${text} not null,
      args_hash ${key} not null,
      targets ${text} not null,
      outcome ${key} not null,
      code ${key} not null,
      trace_id ${key} not null
    )${tableOptions}`,
    'create index audit_time on audit (time_ms)',
    'create index audit_session on audit (session_id, time_ms)',
  ];
}
