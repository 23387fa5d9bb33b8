import { defineMigration, type NamedMigration } from '@spanwise/persistence';

/** The schema of the service, oldest step first. A step is never edited once it has landed. */
export const migrations: readonly NamedMigration[] = [
  defineMigration('0001-views', ({ id, key, text, integer, tableOptions }) => [
    `create table fs_views (
      id ${id} not null primary key,
      uid ${key} not null,
      session_id ${id} not null,
      mounts ${text} not null,
      create_time_ms ${integer} not null
    )${tableOptions}`,
  ]),
  // Paths are longer than an index takes, so that their hashes are the keys.
  defineMigration('0002-outputs', ({ id, text, tableOptions }) => [
    `create table fs_outputs (
      view_id ${id} not null,
      path_hash char(64) not null,
      path ${text} not null,
      primary key (view_id, path_hash)
    )${tableOptions}`,
  ]),
  defineMigration('0003-tree', ({ key, text, integer, bytes, tableOptions }) => [
    `create table fs_nodes (
      disk ${key} not null,
      path_hash char(64) not null,
      parent_hash char(64) not null,
      name ${key} not null,
      path ${text} not null,
      kind char(1) not null,
      size ${integer} not null,
      blob_hash char(64) not null,
      modify_time_ms ${integer} not null,
      stamp char(32) not null,
      primary key (disk, path_hash)
    )${tableOptions}`,
    'create unique index fs_nodes_name on fs_nodes (disk, parent_hash, name)',
    `create table fs_blobs (
      hash char(64) not null primary key,
      size ${integer} not null,
      uses ${integer} not null
    )${tableOptions}`,
    `create table fs_blob_chunks (
      hash char(64) not null,
      position ${integer} not null,
      data ${bytes} not null,
      primary key (hash, position)
    )${tableOptions}`,
  ]),
  // Every session with a view has a fence: only what is there can be held.
  defineMigration('0004-changes', ({ id, key, text, integer, tableOptions }) => [
    `create table fs_fences (
      session_id ${id} not null primary key,
      epoch ${integer} not null
    )${tableOptions}`,
    'insert into fs_fences (session_id, epoch) select distinct session_id, 0 from fs_views',
    'create index fs_views_session on fs_views (session_id)',
    `create table fs_keys (
      view_id ${id} not null,
      idempotency_key ${key} not null,
      request_hash char(64) not null,
      answer ${text} not null,
      create_time_ms ${integer} not null,
      primary key (view_id, idempotency_key)
    )${tableOptions}`,
  ]),
  // `head` is the number of the change of its disk that wrote a row; what it replaced is a version, valid from its own head
  // until before `to_head`.
  defineMigration('0005-versions', ({ key, text, integer, tableOptions }) => [
    `alter table fs_nodes add column head ${integer} not null default 0`,
    `alter table fs_nodes add column is_opaque ${integer} not null default 0`,
    `create table fs_heads (
      disk ${key} not null primary key,
      head ${integer} not null,
      pruned_head ${integer} not null
    )${tableOptions}`,
    `create table fs_versions (
      disk ${key} not null,
      path_hash char(64) not null,
      head ${integer} not null,
      to_head ${integer} not null,
      parent_hash char(64) not null,
      name ${key} not null,
      path ${text} not null,
      kind char(1) not null,
      is_opaque ${integer} not null,
      size ${integer} not null,
      blob_hash char(64) not null,
      modify_time_ms ${integer} not null,
      superseded_ms ${integer} not null,
      primary key (disk, path_hash, head)
    )${tableOptions}`,
    'create index fs_versions_name on fs_versions (disk, parent_hash, name)',
    'create index fs_versions_superseded on fs_versions (disk, superseded_ms)',
  ]),
  // A view with pins has a layer. The layer has a row of `fs_layers` from its first change or its end on.
  defineMigration('0006-layers', ({ id, key, text, integer, tableOptions }) => [
    `alter table fs_views add column pins ${text}`,
    `alter table fs_fences add column driver ${integer} not null default 0`,
    `create table fs_layers (
      view_id ${id} not null primary key,
      state varchar(16) not null,
      version ${integer} not null,
      bytes ${integer} not null,
      entries ${integer} not null,
      result ${text},
      change_time_ms ${integer} not null
    )${tableOptions}`,
    'create index fs_layers_state on fs_layers (state, change_time_ms)',
    `create table fs_layer_nodes (
      view_id ${id} not null,
      path_hash char(64) not null,
      parent_hash char(64) not null,
      name ${key} not null,
      path ${text} not null,
      kind char(1) not null,
      is_opaque ${integer} not null,
      size ${integer} not null,
      blob_hash char(64) not null,
      modify_time_ms ${integer} not null,
      base_kind char(1) not null,
      base_etag ${key} not null,
      primary key (view_id, path_hash)
    )${tableOptions}`,
    'create unique index fs_layer_nodes_name on fs_layer_nodes (view_id, parent_hash, name)',
  ]),
  // What streams have received of uploads that are not written yet, in chunks of the size that blobs have. `stream` names the
  // last one that has begun: earlier ones add nothing more.
  defineMigration('0007-uploads', ({ id, key, integer, bytes, tableOptions }) => [
    `create table fs_uploads (
      view_id ${id} not null,
      upload_id ${id} not null,
      uid ${key} not null,
      stream char(32) not null,
      received ${integer} not null,
      create_time_ms ${integer} not null,
      change_time_ms ${integer} not null,
      primary key (view_id, upload_id)
    )${tableOptions}`,
    'create index fs_uploads_changed on fs_uploads (change_time_ms)',
    `create table fs_upload_chunks (
      view_id ${id} not null,
      upload_id ${id} not null,
      position ${integer} not null,
      data ${bytes} not null,
      primary key (view_id, upload_id, position)
    )${tableOptions}`,
  ]),
  // Who wrote a file, and for which disk a file of a layer is reserved; empty for what is counted for nobody.
  defineMigration('0008-usage', ({ key, integer, tableOptions }) => [
    `alter table fs_nodes add column owner ${key} not null default ''`,
    `alter table fs_layer_nodes add column disk ${key} not null default ''`,
    `create table fs_usage (
      disk ${key} not null,
      uid ${key} not null,
      bytes ${integer} not null,
      files ${integer} not null,
      reserved_bytes ${integer} not null,
      reserved_files ${integer} not null,
      primary key (disk, uid)
    )${tableOptions}`,
  ]),
  // What has changed on a disk after a head, for its watchers.
  defineMigration('0009-watch', () => [
    'create index fs_nodes_head on fs_nodes (disk, head)',
    'create index fs_versions_to_head on fs_versions (disk, to_head)',
  ]),
  // What retention looks for.
  defineMigration('0010-retention', ({ integer }) => [
    `alter table fs_layers add column unpinned_ms ${integer}`,
    'create index fs_views_created on fs_views (create_time_ms)',
    'create index fs_keys_created on fs_keys (create_time_ms)',
  ]),
  // Where the content of a blob lies outside of the database, null for what is in `fs_blob_chunks`; what was stored there for a
  // transaction that has not come yet, and what no blob has any more, with the time of the first sweep that saw it.
  defineMigration('0011-blob-store', ({ key, integer, tableOptions }) => [
    `alter table fs_blobs add column location ${key}`,
    `create table fs_staged_blobs (
      location ${key} not null primary key,
      create_time_ms ${integer} not null
    )${tableOptions}`,
    'create index fs_staged_blobs_created on fs_staged_blobs (create_time_ms)',
    `create table fs_blob_trash (
      location ${key} not null primary key,
      seen_time_ms ${integer}
    )${tableOptions}`,
    'create index fs_blob_trash_seen on fs_blob_trash (seen_time_ms)',
  ]),
];
