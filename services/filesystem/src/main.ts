import { runMigrations, runService } from '@spanwise/service-kit';
import { createFilesystemService, openFilesystemDatabase, retainOnce } from './composition-root.ts';
import { readFilesystemConfig } from './config.ts';

// `main.ts migrate` is the migration step of a deployment, `main.ts retain` throws away what is not to be kept.
if (process.argv[2] === 'migrate') {
  await runMigrations(async () => openFilesystemDatabase(readFilesystemConfig()));
} else if (process.argv[2] === 'retain') {
  await retainOnce(readFilesystemConfig());
} else {
  await runService(async () => createFilesystemService(readFilesystemConfig()));
}
