import { runMigrations, runService } from '@spanwise/service-kit';
import { createToolHostService, openToolHostDatabase, retainOnce } from './composition-root.ts';
import { readToolHostConfig } from './config.ts';

// `main.ts migrate` is the migration step of a deployment, `main.ts retain` deletes what is old in the audit.
if (process.argv[2] === 'migrate') {
  await runMigrations(async () => openToolHostDatabase(readToolHostConfig()));
} else if (process.argv[2] === 'retain') {
  await retainOnce(readToolHostConfig());
} else {
  await runService(async () => createToolHostService(readToolHostConfig()));
}
