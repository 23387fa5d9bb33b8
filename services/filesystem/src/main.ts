import { runService } from '@spanwise/service-kit';
import { createFilesystemService } from './composition-root.ts';
import { readFilesystemConfig } from './config.ts';

await runService(() => createFilesystemService(readFilesystemConfig()));
