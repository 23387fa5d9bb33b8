import { runMigrations, runService } from '@spanwise/service-kit';
import { createSessionService, openSessionDatabase, retainOnce } from './composition-root.ts';
import { readSessionConfig } from './config.ts';

// `main.ts migrate` is the migration step of a deployment, `main.ts retain` throws away what is not to be kept.
if (process.argv[2] === 'migrate') {
  await runMigrations(async () => openSessionDatabase(readSessionConfig()));
} else if (process.argv[2] === 'retain') {
  await retainOnce(readSessionConfig());
} else {
  await runService(async () => createSessionService(readSessionConfig()));
}
