// A service of yours that uses nothing but @grpc/grpc-js and the messages of the contract: it calls RunSession, stores
// the durable events, loses its connection in the middle, and goes on where it was. Run it while `npm start` serves:
//
//   node packages/examples/src/grpc-js-caller.ts
import { create, type DescMethod, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { Client, type ClientReadableStream, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import { SessionService } from '@spanwise/contracts/spanwise/session/v1/session';

const address = process.env.SPANWISE_ADDRESS ?? '127.0.0.1:7001';
const metadata = new Metadata();
metadata.set('uid', 'example');

/** Bytes of a message in and out, as grpc-js wants them. */
function codec<Method extends DescMethod>({ parent, name, input, output }: Method) {
  return {
    path: `/${parent.typeName}/${name}`,
    serialize: (request: Record<string, unknown>) => Buffer.from(toBinary(input, create(input, request))),
    deserialize: (bytes: Buffer) => fromBinary(output, bytes) as MessageShape<Method['output']>,
  };
}

function createSession(client: Client): Promise<string> {
  const { path, serialize, deserialize } = codec(SessionService.method.createSession);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, serialize, deserialize, {}, metadata, (error, response) =>
      error === null ? resolve(response?.session?.id ?? '') : reject(error),
    );
  });
}

/** One stream of the run: ends with its last event, or wherever the connection breaks. */
function runSession(
  client: Client,
  sessionId: string,
  requestId: string,
  afterSeq: bigint,
  onEvents: (events: AgentEvent[]) => void,
) {
  const { path, serialize, deserialize } = codec(SessionService.method.runSession);
  const text = 'Read the Markdown and CSV files in /library, work out the totals, and write /workspace/report.md.';
  const input = [{ parts: [{ part: { case: 'text', value: text } }] }];
  // `live: false`: only durable events, each with its whole text. What is stored here is the log.
  const request = { sessionId, requestId, afterSeq, input, live: false };
  const stream = client.makeServerStreamRequest(path, serialize, deserialize, request, metadata);
  return new Promise<ServiceError | undefined>((resolve) => {
    stream.on('data', ({ events }) => onEvents(events));
    stream.on('error', resolve);
    stream.on('end', () => resolve(undefined));
    streams.add(stream);
  });
}
const streams = new Set<ClientReadableStream<unknown>>();

const sessionClient = new Client(address, credentials.createInsecure());
const sessionId = await createSession(sessionClient);
sessionClient.close();

const stored: AgentEvent[] = [];
const requestId = 'one-per-message-of-mine';
let attempts = 0;
const isOver = () => stored.some(({ data }) => data.case === 'runEnd' || data.case === 'runError');
while (!isOver()) {
  attempts += 1;
  const client = new Client(address, credentials.createInsecure());
  const lastSeq = stored.at(-1)?.seq ?? 0n;
  const error = await runSession(client, sessionId, requestId, lastSeq, (events) => {
    stored.push(...events);
    if (attempts === 1 && stored.length >= 10) {
      // The break: the connection goes away with the stream open. The run does not notice.
      client.close();
      streams.forEach((stream) => stream.cancel());
    }
  });
  client.close();
  const isRefused = error !== undefined && ![1, 2, 8, 10, 14].includes(error.code);
  if (isRefused) {
    throw error;
  }
}
const seqs = stored.map(({ seq }) => Number(seq));
const isContiguous = seqs.every((seq, index) => seq === index + 1);
process.stdout.write(`stored ${stored.length} events over ${attempts} streams, contiguous: ${isContiguous}\n`);
process.stdout.write(`the run ended with ${stored.at(-1)?.data.case}\n`);
process.exitCode = isContiguous && stored.at(-1)?.data.case === 'runEnd' ? 0 : 1;
