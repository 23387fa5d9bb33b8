import { runMigrations, runService } from '@spanwise/service-kit';
import { createFilesystemService, openFilesystemDatabase } from './composition-root.ts';
import { readFilesystemConfig } from './config.ts';

// `main.ts migrate` is the migration step of a deployment.
if (process.argv[2] === 'migrate') {
  await runMigrations(async () => openFilesystemDatabase(readFilesystemConfig()));
} else {
  await runService(async () => createFilesystemService(readFilesystemConfig()));
}
