export { type Database, firstRow, insertRows, type SqlExecutor, type SqlRow, type SqlValue } from './database.ts';
export { databaseUnavailable, isUniqueViolation } from './database-errors.ts';
export { type ColumnTypes, defineMigration, type NamedMigration } from './migration.ts';
export { type OpenDatabase, type OpenOptions, openDatabase } from './open-database.ts';
