import { runMigrations, runService } from '@spanwise/service-kit';
import { createToolHostService, openToolHostDatabase } from './composition-root.ts';
import { readToolHostConfig } from './config.ts';

// `main.ts migrate` is the migration step of a deployment.
if (process.argv[2] === 'migrate') {
  await runMigrations(async () => openToolHostDatabase(readToolHostConfig()));
} else {
  await runService(async () => createToolHostService(readToolHostConfig()));
}
