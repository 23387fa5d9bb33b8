import type { Connection, RowDataPacket } from 'mysql2/promise';

/** The rows of a query. */
export async function rowsOf(connection: Connection, sql: string): Promise<RowDataPacket[]> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return rows;
}
