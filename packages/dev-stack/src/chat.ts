import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { SpanwiseClient, SpanwiseError } from '@spanwise/client';
import type { Environment } from '@spanwise/service-kit';
import { startEmbeddedStack } from './embedded-stack.ts';
import { EventPrinter } from './event-printer.ts';
import { chooseModel } from './model-source.ts';
import { runProgram } from './program.ts';

const runningUrl = process.env.SPANWISE_URL ?? 'http://127.0.0.1:7001';

/** `npm run chat`: talks to the services that run here, or starts its own. Ctrl-C cancels a run; again, it leaves. */
async function main(): Promise<void> {
  await using resources = new AsyncDisposableStack();
  const client = new SpanwiseClient({ baseUrl: await findOrStart(resources) });
  const session = await client.createSession('chat');
  const printer = new EventPrinter({
    write: (text) => process.stdout.write(text),
    hasColor: process.stdout.isTTY,
  });
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  resources.defer(() => terminal.close());
  let runningIn: string | undefined;
  const leave = new AbortController();
  // The end of the input, as when it is piped.
  terminal.on('close', () => leave.abort());
  terminal.on('SIGINT', () => {
    if (runningIn === undefined) {
      leave.abort();
    } else {
      const sessionId = runningIn;
      runningIn = undefined;
      process.stdout.write('\ncancelling … (Ctrl-C again leaves)\n');
      client.cancel(sessionId).catch(() => undefined);
    }
  });
  process.stdout.write('Say something; Ctrl-C leaves.\n');
  for (;;) {
    const input = await terminal.question('> ', { signal: leave.signal }).catch(() => undefined);
    if (input === undefined) {
      return;
    }
    if (input.trim() !== '') {
      runningIn = session.id;
      await answer(client, printer, session.id, input, leave.signal);
      runningIn = undefined;
    }
  }
}

async function answer(
  client: SpanwiseClient,
  printer: EventPrinter,
  sessionId: string,
  input: string,
  signal: AbortSignal,
) {
  try {
    for await (const event of client.run({ sessionId, input }, { signal })) {
      printer.print(event);
    }
  } catch (error) {
    process.stdout.write(`${SpanwiseError.from(error).message}\n`);
  }
}

/** Address of the session service that serves here, or of one that is started for this chat. */
async function findOrStart(resources: AsyncDisposableStack): Promise<string> {
  const isServing = await new SpanwiseClient({ baseUrl: runningUrl }).sessions
    .listSessions({ pageSize: 1 }, { timeoutMs: 1000 })
    .then(
      () => true,
      () => false,
    );
  if (isServing) {
    return runningUrl;
  }
  const env: Environment = { SPANWISE_LOG_LEVEL: 'error', ...process.env };
  const model = resources.use(await chooseModel(env));
  const dataDir = resolve(env.SPANWISE_DATA_DIR ?? '.spanwise');
  const stack = resources.use(await startEmbeddedStack({ dataDir, env: model.env }));
  process.stdout.write(`Started the services for this chat, with the ${model.description}.\n`);
  return stack.urls.session;
}

await runProgram(main);
