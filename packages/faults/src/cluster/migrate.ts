import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Environment } from '@spanwise/service-kit';
import { mainOf, type ServiceName } from './service-program.ts';

/** The migration step of a service's deployment; ends with the suite. Rejects when it fails. */
export async function migrate(service: ServiceName, env: Environment): Promise<void> {
  const migration = promisify(execFile)(process.execPath, [mainOf(service), 'migrate'], { env: { ...env } });
  const kill = () => migration.child.kill('SIGKILL');
  process.once('exit', kill);
  try {
    await migration;
  } finally {
    process.off('exit', kill);
  }
}
