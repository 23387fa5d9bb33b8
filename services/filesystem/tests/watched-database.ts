import type { Database, OpenDatabase, SqlExecutor } from '@spanwise/persistence';
import { Overtaken } from '../src/infrastructure/disks/tree/overtaken.ts';

/** What has gone through a database since it was watched. */
export interface Watched {
  readonly first: OpenDatabase;
  /** Texts of the statements. */
  readonly statements: string[];
  /** How often a transaction was begun again because the database had to end a deadlock, or a wait for a lock. */
  retries(): number;
  /** How many transactions were given up because another one had changed what they had read. */
  overtaken(): number;
}

/** A database that tells what goes through it. */
export function watchedDatabase(open: OpenDatabase): Watched {
  const statements: string[] = [];
  const executor = (sql: SqlExecutor): SqlExecutor => ({
    run(text, parameters) {
      statements.push(text);
      return sql.run(text, parameters);
    },
    all(text, parameters) {
      statements.push(text);
      return sql.all(text, parameters);
    },
  });
  let [retries, overtaken] = [0, 0];
  const sql: Database = {
    dialect: open.sql.dialect,
    ...executor(open.sql),
    async transaction(work) {
      let begun = 0;
      try {
        return await open.sql.transaction((tx) => {
          retries += begun === 0 ? 0 : 1;
          begun += 1;
          return work(executor(tx));
        });
      } catch (error) {
        overtaken += error instanceof Overtaken ? 1 : 0;
        throw error;
      }
    },
  };
  const first: OpenDatabase = {
    sql,
    urgent: open.urgent,
    orm: (work) => open.orm(work),
    migrate: () => open.migrate(),
    checkReady: () => open.checkReady(),
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  };
  return { first, statements, retries: () => retries, overtaken: () => overtaken };
}
