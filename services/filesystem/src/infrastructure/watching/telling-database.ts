import type { Database } from '@spanwise/persistence';

/** The same database; `onCommit` is told after each transaction that has committed. */
export function tellingDatabase(database: Database, onCommit: () => void): Database {
  return {
    dialect: database.dialect,
    run: (sql, parameters) => database.run(sql, parameters),
    all: (sql, parameters) => database.all(sql, parameters),
    async transaction(work) {
      const result = await database.transaction(work);
      onCommit();
      return result;
    },
  };
}
