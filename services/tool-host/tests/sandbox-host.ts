// A process that runs a command in the virtual sandbox, for a test that kills it: `sandbox-host.ts <script>`.
import { defaultSandboxLimits } from '../src/infrastructure/sandbox/sandbox-runner.ts';
import { VirtualSandbox } from '../src/infrastructure/sandbox/virtual/virtual-sandbox.ts';
import { InMemoryFiles } from './in-memory-files.ts';
import { viewOf } from './sandbox-attack-ground.ts';

const [, , script = ''] = process.argv;
await new VirtualSandbox().run(
  {
    ...{ script, cwd: '/workspace', limits: defaultSandboxLimits },
    files: viewOf(new InMemoryFiles()),
    output: (_, chunk) => process.stdout.write(chunk),
  },
  new AbortController().signal,
);
