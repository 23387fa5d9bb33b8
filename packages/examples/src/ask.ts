// Asks an agent a question with the TypeScript client, shows the answer as it streams, and survives breaks of the
// connection. Run it while `npm start` serves:
//
//   node packages/examples/src/ask.ts "What is in /library?"
import { SpanwiseClient, SpanwiseError } from '@spanwise/client';

const baseUrl = process.env.SPANWISE_URL ?? 'http://127.0.0.1:7001';
const question = process.argv[2] ?? 'Hello!';

const client = new SpanwiseClient({ baseUrl });
const session = await client.createSession('an example');
try {
  for await (const { data, threadId } of client.run({ sessionId: session.id, input: question })) {
    if (threadId !== '') {
      // An agent at work for the one that answers: its text is not the answer.
    } else if (data.case === 'textDelta') {
      process.stdout.write(data.value.text);
    } else if (data.case === 'textEnd') {
      process.stdout.write('\n');
    } else if (data.case === 'toolCallStart') {
      process.stdout.write(`[${data.value.tool}]\n`);
    } else if (data.case === 'runError' && data.value.error !== undefined) {
      throw SpanwiseError.fromRun(data.value.error);
    }
  }
} catch (error) {
  const { reason, message } = SpanwiseError.from(error);
  process.stderr.write(`${reason}: ${message}\n`);
  process.exitCode = 1;
}
