import { type ColumnTypes, defineMigration, type NamedMigration } from '@spanwise/persistence';

/** The schema of the session service, step by step. A step that has landed is never edited. */
export const migrations: readonly NamedMigration[] = [
  defineMigration('0001-sessions-runs-log', (types) => [...sessions(types), ...runs(types), ...log(types)]),
  defineMigration('0002-ownership-queue-waiting', (types) => [
    ...queue(types),
    ...instances(types),
    ...interrupts(types),
  ]),
  defineMigration('0003-sealed-tokens', ({ text }) => [`alter table runs add column sealed_token ${text}`]),
  defineMigration('0004-rollback', ({ integer }) => [
    `alter table runs add column rolls_back ${integer} not null default 0`,
    `alter table llm_context add column superseded_at_seq ${integer}`,
  ]),
  defineMigration('0005-tool-policies', ({ text }) => [
    `alter table sessions add column tool_policy ${text}`,
    `alter table interrupts add column approval ${text}`,
  ]),
];

function sessions({ id, key, text, integer, tableOptions }: ColumnTypes): readonly string[] {
  return [
    `create table sessions (
      id ${id} not null primary key,
      uid ${key} not null,
      request_id ${key},
      title ${text} not null,
      status ${key} not null,
      active_run_id ${id},
      epoch ${integer} not null,
      last_seq ${integer} not null,
      first_seq ${integer} not null,
      last_append ${id},
      last_ctx_seq ${integer} not null,
      created_at ${integer} not null,
      updated_at ${integer} not null,
      deleted_at ${integer}
    )${tableOptions}`,
    'create index sessions_uid_created on sessions (uid, created_at desc, id desc)',
    'create unique index sessions_uid_request on sessions (uid, request_id)',
  ];
}

function runs({ id, key, text, integer, bytes, tableOptions }: ColumnTypes): readonly string[] {
  return [
    `create table runs (
      id ${id} not null primary key,
      session_id ${id} not null,
      request_id ${key} not null,
      request_fp ${key} not null,
      status ${key} not null,
      owner_id ${id},
      epoch ${integer} not null,
      attempt ${integer} not null,
      no_progress_attempts ${integer} not null default 0,
      options ${text} not null,
      spec ${bytes},
      span_id ${key} not null,
      trace_id ${key} not null,
      trace_flags ${integer} not null,
      start_seq ${integer} not null,
      terminal_seq ${integer} not null,
      deadline_at ${integer},
      remaining_ms ${integer},
      wake_at ${integer},
      cancel_requested_at ${integer},
      cancel_reason ${text},
      ending ${text},
      created_at ${integer} not null,
      ended_at ${integer}
    )${tableOptions}`,
    'create unique index runs_session_request on runs (session_id, request_id)',
    'create index runs_session_id on runs (session_id, id desc)',
    'create index runs_owner_status on runs (owner_id, status)',
    'create index runs_status_wake on runs (status, wake_at)',
  ];
}

function log({ id, key, integer, bytes, tableOptions }: ColumnTypes): readonly string[] {
  return [
    `create table ui_events (
      session_id ${id} not null,
      seq ${integer} not null,
      run_id ${id} not null,
      epoch ${integer} not null,
      type ${key} not null,
      block_id ${key},
      block_offset ${integer},
      payload ${bytes} not null,
      created_at ${integer} not null,
      primary key (session_id, seq)
    )${tableOptions}`,
    `create table llm_context (
      session_id ${id} not null,
      seq ${integer} not null,
      message_id ${id} not null,
      thread_id ${key} not null,
      run_id ${id} not null,
      epoch ${integer} not null,
      role ${integer} not null,
      tokens ${integer} not null,
      payload ${bytes} not null,
      created_at ${integer} not null,
      primary key (session_id, seq)
    )${tableOptions}`,
    'create index llm_context_thread on llm_context (session_id, thread_id, seq)',
  ];
}

function queue({ key, text, integer }: ColumnTypes): readonly string[] {
  return [
    `alter table sessions add column queued ${integer} not null default 0`,
    `alter table runs add column queue_no ${integer}`,
    `alter table runs add column input ${text}`,
    `alter table runs add column email ${key}`,
    `alter table runs add column progress_seq ${integer} not null default 0`,
    `alter table runs add column claimed_at ${integer} not null default 0`,
    `alter table runs add column attached_at ${integer} not null default 0`,
  ];
}

function instances({ id, key, integer, tableOptions }: ColumnTypes): readonly string[] {
  return [
    `create table instances (
      id ${id} not null primary key,
      address ${key} not null,
      lease_until ${integer} not null,
      is_draining ${integer} not null
    )${tableOptions}`,
  ];
}

function interrupts({ id, key, text, integer, tableOptions }: ColumnTypes): readonly string[] {
  return [
    `create table interrupts (
      run_id ${id} not null,
      id ${id} not null,
      call_id ${id} not null,
      kind ${integer} not null,
      message ${text} not null,
      schema_json ${text} not null,
      expires_at ${integer},
      answer ${text},
      answered_by ${key},
      answered_at ${integer},
      announced_at ${integer},
      primary key (run_id, id)
    )${tableOptions}`,
  ];
}
