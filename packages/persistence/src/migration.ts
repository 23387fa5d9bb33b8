import type { MigrationObject } from '@mikro-orm/core';
import { Migration } from '@mikro-orm/migrations';

/** Column types by their meaning, for the dialect that a migration runs on. */
export interface ColumnTypes {
  /** UUID as text, compared byte by byte. */
  readonly id: string;
  /** Text of at most 255 characters, compared byte by byte; fit for an index. */
  readonly key: string;
  /** Path of at most 3,000 ASCII-compatible bytes or a hash; compared byte by byte, fit for the prefix of an index. */
  readonly text: string;
  /** Safe integer. */
  readonly integer: string;
  /** Up to 16 MiB of bytes. */
  readonly bytes: string;
  /** What follows the column list of CREATE TABLE. */
  readonly tableOptions: string;
}

const mysqlTypes: ColumnTypes = {
  id: 'char(36) character set ascii collate ascii_bin',
  key: 'varchar(255) character set utf8mb4 collate utf8mb4_bin',
  text: 'mediumtext character set utf8mb4 collate utf8mb4_bin',
  integer: 'bigint',
  bytes: 'mediumblob',
  tableOptions: ' engine=InnoDB default character set utf8mb4 collate utf8mb4_bin',
};

const sqliteTypes: ColumnTypes = {
  id: 'text',
  key: 'text',
  text: 'text',
  integer: 'integer',
  bytes: 'blob',
  tableOptions: '',
};

/** A named step of the schema, the same for both dialects. Never edited once it has landed. */
export type NamedMigration = MigrationObject;

/** Makes a migration from its statements. `name` sorts after those before it, for example `0002-add-title`. */
export function defineMigration(name: string, statements: (types: ColumnTypes) => readonly string[]): NamedMigration {
  class Defined extends Migration {
    override up(): void {
      const isMySql = this.driver.getPlatform().constructor.name.toLowerCase().includes('mysql');
      for (const sql of statements(isMySql ? mysqlTypes : sqliteTypes)) {
        this.addSql(sql);
      }
    }
  }
  return { name, class: Defined };
}
