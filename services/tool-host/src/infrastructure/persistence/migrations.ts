import { type ColumnTypes, defineMigration, type NamedMigration } from '@spanwise/persistence';

/** The schema of tool-host, step by step. A step that has landed is never edited. */
export const migrations: readonly NamedMigration[] = [
  defineMigration('0001-executions-fences-instances', (types) => [...executions(types), ...whoMayBegin(types)]),
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
