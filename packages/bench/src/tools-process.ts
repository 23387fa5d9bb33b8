import { fileURLToPath } from 'node:url';
import { createFilesystemService } from '@spanwise/filesystem/composition-root';
import { readFilesystemConfig } from '@spanwise/filesystem/config';
import { createToolHostService } from '@spanwise/tool-host/composition-root';
import { readToolHostConfig } from '@spanwise/tool-host/config';

/** Tool-host, with the filesystem service that it needs, in a process of its own. Prints tool-host's URL. */
const env = process.env;
const files = await createFilesystemService(
  readFilesystemConfig({ ...env, SPANWISE_DATABASE_URL: env.BENCH_FILES_DATABASE }),
);
const own = {
  SPANWISE_FILESYSTEM_URL: files.server.url,
  SPANWISE_TOOLS: fileURLToPath(import.meta.resolve('./idle-tools.ts')),
};
const toolHost = await createToolHostService(readToolHostConfig({ ...env, ...own }));
process.stdout.write(`${toolHost.url}\n`);
await new Promise((resolve) => process.once('SIGTERM', resolve));
await toolHost[Symbol.asyncDispose]();
await files[Symbol.asyncDispose]();
