import { resolve } from 'node:path';
import { type Approval, type Interrupt, InterruptKind, SpanwiseClient, SpanwiseError } from '@spanwise/client';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import type { Environment } from '@spanwise/service-kit';
import { startEmbeddedStack } from './embedded-stack.ts';
import { EventPrinter } from './event-printer.ts';
import { chooseModel } from './model-source.ts';
import { runProgram } from './program.ts';
import { TerminalPrompt } from './terminal-prompt.ts';

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
  const terminal = resources.use(new TerminalPrompt({ input: process.stdin, output: process.stdout }));
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
    const input = await terminal.ask('> ', leave.signal).catch(() => undefined);
    if (input === undefined) {
      return;
    }
    if (input.trim() !== '') {
      runningIn = session.id;
      await converse({ client, printer, sessionId: session.id, terminal }, input, leave.signal);
      runningIn = undefined;
    }
  }
}

interface Conversation {
  readonly client: SpanwiseClient;
  readonly printer: EventPrinter;
  readonly sessionId: string;
  readonly terminal: TerminalPrompt;
}

/** One run to its end, with the answers to what it asks. */
async function converse({ client, printer, sessionId, terminal }: Conversation, input: string, signal: AbortSignal) {
  const requestId = crypto.randomUUID();
  let waiting: AgentEvent | undefined;
  let afterSeq = 0n;
  try {
    do {
      waiting = undefined;
      for await (const event of client.run({ sessionId, input, requestId, afterSeq }, { signal })) {
        printer.print(event);
        afterSeq = event.seq > afterSeq ? event.seq : afterSeq;
        waiting = event.data.case === 'runWaiting' ? event : undefined;
      }
      await answerAll(client, waiting, terminal, signal);
    } while (waiting !== undefined && !signal.aborted);
  } catch (error) {
    process.stdout.write(`${SpanwiseError.from(error).message}\n`);
  }
}

/** Asks the person at the terminal, one line an answer. */
async function answerAll(
  client: SpanwiseClient,
  waiting: AgentEvent | undefined,
  terminal: TerminalPrompt,
  signal: AbortSignal,
): Promise<void> {
  if (waiting?.data.case !== 'runWaiting') {
    return;
  }
  const { interrupts } = waiting.data.value;
  for (const interrupt of interrupts.filter(({ kind }) => kind !== InterruptKind.AUTH)) {
    await (interrupt.approval === undefined
      ? answerQuestions(client, waiting, interrupt, terminal, signal)
      : answerApproval(client, waiting, interrupt.approval, interrupt.id, terminal, signal));
  }
  // One token is for all of them.
  const signIn = interrupts.find(({ kind }) => kind === InterruptKind.AUTH);
  if (signIn !== undefined) {
    await answerSignIn(client, waiting, signIn, await terminal.askSecret('token (empty: go on without)? ', signal));
  }
}

async function answerQuestions(
  client: SpanwiseClient,
  { sessionId, runId }: AgentEvent,
  { id, schemaJson }: Interrupt,
  terminal: TerminalPrompt,
  signal: AbortSignal,
): Promise<void> {
  const answers: string[] = [];
  for (let n = 0; n < answersIn(schemaJson); n += 1) {
    answers.push(await terminal.ask('? ', signal));
  }
  await client.answer(sessionId, runId, id, { answers });
}

/** Only a plain yes approves; whatever else is typed is told to the model as the reason why not. */
async function answerApproval(
  client: SpanwiseClient,
  { sessionId, runId }: AgentEvent,
  { tool }: Approval,
  id: string,
  terminal: TerminalPrompt,
  signal: AbortSignal,
): Promise<void> {
  const typed = (await terminal.ask(`approve this call of ${tool}? (y, or why not) `, signal)).trim();
  await (['y', 'yes'].includes(typed.toLowerCase())
    ? client.approve(sessionId, runId, id)
    : client.decline(sessionId, runId, id, typed));
}

/** The token is in the header of the request only. */
function answerSignIn(client: SpanwiseClient, { sessionId, runId }: AgentEvent, { id }: Interrupt, token: string) {
  return token === ''
    ? client.answer(sessionId, runId, id, { signed_in: false })
    : client.signIn(sessionId, runId, id, token);
}

/** How many answers a question of `ask_user` wants. */
function answersIn(schemaJson: string): number {
  const schema = JSON.parse(schemaJson) as { properties?: { answers?: { minItems?: number } } };
  return schema.properties?.answers?.minItems ?? 1;
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
