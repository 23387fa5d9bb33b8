import type { OpenDatabase, SqlExecutor } from '@spanwise/persistence';

/** The database, for a process that ends itself with SIGKILL before it has made `steps` statements and commits. */
export function killingDatabase(database: OpenDatabase, steps: number): OpenDatabase {
  let left = steps;
  const step = () => {
    left -= 1;
    if (left < 0) {
      process.kill(process.pid, 'SIGKILL');
    }
  };
  const within = (sql: SqlExecutor): SqlExecutor => ({
    run: (text, parameters) => {
      step();
      return sql.run(text, parameters);
    },
    all: (text, parameters) => {
      step();
      return sql.all(text, parameters);
    },
  });
  const { sql } = database;
  return {
    ...database,
    orm: (work) => database.orm(work),
    sql: {
      ...within(sql),
      dialect: sql.dialect,
      transaction: async (work) => {
        const result = await sql.transaction(async (tx) => {
          const done = await work(within(tx));
          // Everything but the commit is done.
          step();
          return done;
        });
        step();
        return result;
      },
    },
  };
}
