import { createConnection, type RowDataPacket } from 'mysql2/promise';
import type { Cluster } from '../cluster/cluster.ts';
import { databaseNames } from '../cluster/database-names.ts';
import type { ServiceProcess } from '../cluster/service-process.ts';

/** The replica of session that drives a run now; undefined when none does. */
export async function driverOf(cluster: Cluster, runId: string): Promise<ServiceProcess | undefined> {
  const connection = await createConnection({ uri: cluster.databaseServerUrl, database: databaseNames.session });
  try {
    const sql = 'select i.address from runs r join instances i on i.id = r.owner_id where r.id = ?';
    const [rows] = await connection.query<RowDataPacket[]>(sql, [runId]);
    const link = cluster.links.matching(/^peer→session/).find(({ url }) => url === rows[0]?.address);
    return cluster.replicas.find(({ name }) => link?.name === `peer→${name}`);
  } finally {
    await connection.end();
  }
}
