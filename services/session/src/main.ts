import { runService } from '@spanwise/service-kit';
import { createSessionService } from './composition-root.ts';
import { readSessionConfig } from './config.ts';

await runService(() => createSessionService(readSessionConfig(process.env), { env: process.env }));
