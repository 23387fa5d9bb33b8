import { Code } from '@connectrpc/connect';
import { SpanwiseError } from '@spanwise/client';
import type { RecordedClient } from '../clients/recorded-client.ts';

const pageSize = 7;

/** Reads the events of a session page by page, while others may append, and writes down what the pages had together. */
export async function readPages(client: RecordedClient, sessionId: string): Promise<void> {
  const seqs: number[] = [];
  let pageToken = '';
  do {
    const page = await client.call('ListEvents', (sessions, options) =>
      sessions.listEvents({ sessionId, pageSize, pageToken }, options),
    );
    seqs.push(...page.events.map(({ seq }) => Number(seq)));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  client.history.add({ kind: 'listed', client: client.name, sessionId, seqs });
}

/** Asks for another user's session in every way there is to read or to change it. */
export async function probeAsStranger(client: RecordedClient, sessionId: string, runId: string): Promise<void> {
  const run = runId === '' ? sessionId : runId;
  const asked: readonly (readonly [string, (client: RecordedClient) => Promise<unknown>])[] = [
    ['GetSession', (by) => by.call('GetSession', (sessions, options) => sessions.getSession({ sessionId }, options))],
    ['GetRun', (by) => by.call('GetRun', (sessions, options) => sessions.getRun({ sessionId, runId: run }, options))],
    ['ListEvents', (by) => by.call('ListEvents', (sessions, options) => sessions.listEvents({ sessionId }, options))],
    [
      'ListMessages',
      (by) => by.call('ListMessages', (sessions, options) => sessions.listMessages({ sessionId }, options)),
    ],
    ['CancelRun', (by) => by.call('CancelRun', (sessions, options) => sessions.cancelRun({ sessionId }, options))],
    ['WatchSession', (by) => watchOnce(by, sessionId)],
  ];
  for (const [rpc, ask] of asked) {
    const { code, leakedBytes } = await ask(client).then(
      (answer) => ({ code: 0, leakedBytes: JSON.stringify(answer, bigintAsText).length }),
      (error: unknown) => ({ code: SpanwiseError.from(error).code as number, leakedBytes: 0 }),
    );
    client.history.add({ kind: 'probe', client: client.name, rpc, sessionId, code, leakedBytes });
  }
}

async function watchOnce(client: RecordedClient, sessionId: string): Promise<unknown> {
  const stop = AbortSignal.timeout(5000);
  for await (const message of client.sessions.watchSession({ sessionId }, { signal: stop, headers: client.headers })) {
    return message;
  }
  throw new SpanwiseError(Code.Unavailable, 'TRANSPORT', 'The stream had no message.');
}

function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
