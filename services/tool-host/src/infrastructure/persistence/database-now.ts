import type { Database } from '@spanwise/persistence';

/** SQL for the time of the database, in milliseconds since 1970: what leases are judged by. */
export function databaseNow({ dialect }: Pick<Database, 'dialect'>): string {
  return dialect === 'mysql'
    ? 'cast(unix_timestamp(now(3)) * 1000 as signed)'
    : "cast(unixepoch('subsec') * 1000 as integer)";
}
