import { SpanwiseClient } from '@spanwise/client';
import type { Environment } from '@spanwise/service-kit';
import { runDemo } from './demo-run.ts';
import { startDistributedStack } from './distributed-stack.ts';
import { chooseModel } from './model-source.ts';
import { type Program, runProgram, say } from './program.ts';

/** `npm run start:distributed`: every service in a process of its own, two replicas of session and agent-runtime. */
async function main({ waitForStop }: Program): Promise<void> {
  const env: Environment = { SPANWISE_LOG_LEVEL: 'warn', ...process.env };
  const databaseServerUrl = env.SPANWISE_DATABASE_SERVER_URL ?? 'mysql://root@127.0.0.1:3306';
  const natsUrl = env.SPANWISE_NATS_URL ?? 'nats://127.0.0.1:4222';
  await using model = await chooseModel(env);
  await using stack = await startDistributedStack({ databaseServerUrl, natsUrl, env: model.env, firstPort: 7101 });
  for (const { name, url, child } of [...stack.sessions, ...stack.runtimes, stack.toolHost, stack.filesystem]) {
    say(`  ${name.padEnd(14)} ${url}  process ${child.pid}`);
  }
  say(`  ${'database'.padEnd(14)} ${new URL(databaseServerUrl).host}`);
  say(`  ${'broker'.padEnd(14)} ${natsUrl}`);
  say(`  ${'model'.padEnd(14)} ${model.description}\n`);
  const [first] = stack.sessions;
  const client = new SpanwiseClient({ baseUrl: first?.url ?? '' });
  const isCompleted = await runDemo({
    client,
    filesystemUrl: stack.filesystem.url,
    write: (text) => process.stdout.write(text),
  });
  if (process.argv.includes('--once')) {
    process.exitCode = isCompleted ? 0 : 1;
    return;
  }
  say('Still serving. Ctrl-C stops all of them.');
  await waitForStop();
}

await runProgram(main);
