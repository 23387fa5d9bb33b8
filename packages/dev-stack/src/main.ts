import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SpanwiseClient } from '@spanwise/client';
import type { Environment } from '@spanwise/service-kit';
import { runDemo } from './demo-run.ts';
import { startEmbeddedStack } from './embedded-stack.ts';
import { usualPorts } from './free-ports.ts';
import { chooseModel } from './model-source.ts';
import { type Program, runProgram, say } from './program.ts';

/** `npm start`: all services in one process, one real run, then served on. `-- --once` ends after the run. */
async function main({ waitForStop }: Program): Promise<void> {
  const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
  const startedMs = performance.now();
  const env: Environment = { SPANWISE_LOG_LEVEL: 'warn', ...process.env };
  await using model = await chooseModel(env);
  await using stack = await startEmbeddedStack({
    dataDir: resolve(env.SPANWISE_DATA_DIR ?? '.spanwise'),
    env: model.env,
    ports: values.once ? {} : await usualPorts(7001),
  });
  say(`Spanwise is ready after ${((performance.now() - startedMs) / 1000).toFixed(1)} s.`);
  for (const [name, url] of Object.entries(stack.urls)) {
    say(`  ${name.padEnd(14)} ${url}`);
  }
  say(`  ${'model'.padEnd(14)} ${model.description}\n`);

  const client = new SpanwiseClient({ baseUrl: stack.urls.session });
  const isCompleted = await runDemo({
    client,
    filesystemUrl: stack.urls.filesystem,
    write: (text) => process.stdout.write(text),
  });
  if (values.once) {
    process.exitCode = isCompleted ? 0 : 1;
    return;
  }
  const json = "-H 'content-type: application/json'";
  say('Still serving. Try, in another terminal:');
  say('  npm run chat');
  say(`  curl ${stack.urls.session}/spanwise.session.v1.SessionService/CreateSession ${json} -d '{"title":"mine"}'`);
  say(`  grpcurl -plaintext ${new URL(stack.urls.session).host} list`);
  say('Ctrl-C stops it.');
  await waitForStop();
}

await runProgram(main);
