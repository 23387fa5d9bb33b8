import { runService } from '@spanwise/service-kit';
import { createAgentRuntimeService } from './composition-root.ts';
import { readAgentRuntimeConfig } from './config.ts';

await runService(async () => createAgentRuntimeService(readAgentRuntimeConfig(process.env)));
