import { runMigrations, runService } from '@spanwise/service-kit';
import { createSessionService, openSessionDatabase } from './composition-root.ts';
import { readSessionConfig } from './config.ts';

// `main.ts migrate` is the migration step of a deployment.
if (process.argv[2] === 'migrate') {
  await runMigrations(async () => openSessionDatabase(readSessionConfig()));
} else {
  await runService(async () => createSessionService(readSessionConfig()));
}
