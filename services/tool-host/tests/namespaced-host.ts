/** A process that runs a command in a namespace and waits for it, for a test that kills it. Arguments: folder, script. */
import { NamespacedBench } from './namespaced-bench.ts';

const [, , folder = '', script = ''] = process.argv;
await using bench = new NamespacedBench({ folder });
await bench.sandbox.run(
  {
    ...{ script, cwd: '/workspace', files: bench.files },
    limits: { wallMs: 60_000, cpuSeconds: 60, memoryBytes: 2 ** 30, processes: 64, openFiles: 64, outputBytes: 1000 },
    output: (_, chunk) => void process.stdout.write(chunk),
  },
  new AbortController().signal,
);
