import { createFilesystemService } from '@spanwise/filesystem/composition-root';
import { readFilesystemConfig } from '@spanwise/filesystem/config';

/** The filesystem service in a process of its own, so that its memory can be read. Prints its URL. */
const service = await createFilesystemService(readFilesystemConfig(process.env));
process.stdout.write(`${service.server.url}\n`);
await new Promise((resolve) => process.once('SIGTERM', resolve));
await service[Symbol.asyncDispose]();
