import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedStack } from '@spanwise/dev-stack';

/** The embedded stack in a process of its own, so that its processor time can be read. Prints the session's URL. */
const dataDir = mkdtempSync(join(tmpdir(), 'spanwise-bench-'));
await using stack = await startEmbeddedStack({ dataDir, env: process.env });
process.stdout.write(`${stack.urls.session}\n`);
await new Promise((resolve) => process.once('SIGTERM', resolve));
rmSync(dataDir, { recursive: true, force: true });
