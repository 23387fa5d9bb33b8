import { runService } from '@spanwise/service-kit';
import { createToolHostService } from './composition-root.ts';
import { readToolHostConfig } from './config.ts';

await runService(() => createToolHostService(readToolHostConfig()));
