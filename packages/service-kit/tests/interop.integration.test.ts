import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { type ClientReadableStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '@spanwise/contracts/google/rpc/error_details';
import { Health } from '@spanwise/contracts/grpc/health/v1/health';
import { ServerReflection } from '@spanwise/contracts/grpc/reflection/v1/reflection';
import { ServerReflection as ServerReflectionAlpha } from '@spanwise/contracts/grpc/reflection/v1alpha/reflection';
import { SessionService, type WatchSessionResponse } from '@spanwise/contracts/spanwise/session/v1/session';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningServer } from '../src/index.ts';
import { type GrpcJsClient, grpcJsClient } from './grpc-js-client.ts';
import { breakingId, brokenId, knownId, startTestServer } from './test-server.ts';

const unknownId = '01890000-0000-7000-8000-00000000000f';

let server: RunningServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const transports: readonly [string, () => Transport][] = [
  ['gRPC over HTTP/2', () => createGrpcTransport({ baseUrl: server.url })],
  ['gRPC-Web over HTTP/1.1', () => createGrpcWebTransport({ baseUrl: server.url })],
  ['Connect over HTTP/2', () => createConnectTransport({ baseUrl: server.url, httpVersion: '2' })],
  [
    'Connect with JSON over HTTP/1.1',
    () => createConnectTransport({ baseUrl: server.url, httpVersion: '1.1', useBinaryFormat: false }),
  ],
  ['Connect with GET', () => createConnectTransport({ baseUrl: server.url, httpVersion: '1.1', useHttpGet: true })],
];

describe.each(transports)('%s', (_, open) => {
  const client = () => createClient(SessionService, open());

  test('answers a unary call for the user in the header', async () => {
    const { session } = await client().getSession({ sessionId: knownId }, { headers: { uid: 'alice' } });
    expect(session).toMatchObject({ id: knownId, uid: 'alice' });
  });

  test('streams messages as they come, and ends when the client leaves', async () => {
    const leave = new AbortController();
    const seqs: (bigint | undefined)[] = [];
    for await (const { caughtUp } of client().watchSession(
      { sessionId: knownId, afterSeq: 4n },
      { signal: leave.signal },
    )) {
      seqs.push(caughtUp?.seq);
      if (seqs.length === 2) {
        break;
      }
    }
    leave.abort();
    expect(seqs).toEqual([4n, 5n]);
  });

  test('tells an error with its reason', async () => {
    const error = await failure(client().getSession({ sessionId: unknownId }));
    expect(error.code).toBe(Code.NotFound);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: 'SESSION_NOT_FOUND', domain: 'spanwise.dev' }]);
  });

  test('tells which field breaks which rule', async () => {
    const error = await failure(client().getSession({ sessionId: "' OR 1=1--" }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field).toBe('session_id');
  });

  test('tells nothing of an internal error', async () => {
    const error = await failure(client().getSession({ sessionId: brokenId }));
    expect(error.code).toBe(Code.Internal);
    expect(error.rawMessage).toBe('Internal error.');
  });

  test('translates an error in the middle of a stream', async () => {
    const seqs: (bigint | undefined)[] = [];
    const error = await failure(
      (async () => {
        for await (const { caughtUp } of client().watchSession({ sessionId: breakingId })) {
          seqs.push(caughtUp?.seq);
        }
      })(),
    );
    expect(seqs).toEqual([0n, 1n]);
    expect(error.code).toBe(Code.Unavailable);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([
      { reason: 'DATABASE_UNAVAILABLE', metadata: { after_seq: '7' } },
    ]);
    expect(error.findDetails(RetryInfoSchema)).toMatchObject([{ retryDelay: { seconds: 1n, nanos: 500_000_000 } }]);
  });
});

describe('a plain grpc-js client', () => {
  let client: GrpcJsClient;
  const open = (service: typeof SessionService | typeof Health = SessionService, options = {}) =>
    grpcJsClient(service, `127.0.0.1:${server.port}`, options);
  beforeAll(() => {
    client = open();
  });
  afterAll(() => client.close());

  test('makes unary calls', async () => {
    const metadata = new Metadata();
    metadata.set('uid', 'bob');
    expect(await unary(client, 'getSession', { sessionId: knownId }, metadata)).toMatchObject({
      session: { uid: 'bob' },
    });
  });

  test('reads streams, and cancels them', async () => {
    const stream = client.watchSession?.({
      sessionId: knownId,
      afterSeq: 1n,
    }) as ClientReadableStream<WatchSessionResponse>;
    const seqs: (bigint | undefined)[] = [];
    const error = await new Promise<ServiceError>((resolve) => {
      stream.on('error', resolve);
      stream.on('data', ({ caughtUp }: WatchSessionResponse) => {
        seqs.push(caughtUp?.seq);
        if (seqs.length === 2) {
          stream.cancel();
        }
      });
    });
    expect(seqs).toEqual([1n, 2n]);
    expect(error.code).toBe(1);
  });

  test('gets status and details of errors', async () => {
    const error = await unary(client, 'getSession', { sessionId: unknownId }).catch((reason: ServiceError) => reason);
    expect(error).toMatchObject({ code: 5, details: 'No such session.' });
    expect((error as ServiceError).metadata.get('grpc-status-details-bin')).toHaveLength(1);
  });

  test('retries by its service config, for errors come as trailers only', async () => {
    let attempts = 0;
    await using flaky = await startTestServer({
      routes: (router) =>
        router.service(SessionService, {
          getSession() {
            attempts += 1;
            if (attempts < 3) {
              throw new ConnectError('not yet', Code.Unavailable);
            }
            return { session: { id: knownId } };
          },
        }),
    });
    const retryPolicy = {
      maxAttempts: 4,
      initialBackoff: '0.01s',
      maxBackoff: '0.1s',
      backoffMultiplier: 2,
      retryableStatusCodes: ['UNAVAILABLE'],
    };
    const config = { methodConfig: [{ name: [{ service: SessionService.typeName }], retryPolicy }] };
    const retrying = grpcJsClient(SessionService, `127.0.0.1:${flaky.port}`, {
      'grpc.service_config': JSON.stringify(config),
      'grpc.enable_retries': 1,
    });
    expect(await unary(retrying, 'getSession', { sessionId: knownId })).toMatchObject({ session: { id: knownId } });
    expect(attempts).toBe(3);
    retrying.close();
  });

  test('finds the server healthy', async () => {
    const health = open(Health);
    expect(await unary(health, 'check', { service: '' })).toMatchObject({ status: 1 });
    expect(await unary(health, 'check', { service: SessionService.typeName })).toMatchObject({ status: 1 });
    const error = await unary(health, 'check', { service: 'nobody' }).catch((reason: ServiceError) => reason);
    expect(error).toMatchObject({ code: 5 });
    health.close();
  });
});

describe.each([
  ['v1', ServerReflection],
  ['v1alpha', ServerReflectionAlpha],
] as const)('reflection %s', (_, service) => {
  test('lists the services and gives their files with all that they import', async () => {
    const client = createClient(service, createGrpcTransport({ baseUrl: server.url }));
    const answers: unknown[] = [];
    const requests = [
      { messageRequest: { case: 'listServices' as const, value: '' } },
      {
        messageRequest: {
          case: 'fileContainingSymbol' as const,
          value: 'spanwise.session.v1.SessionService.RunSession',
        },
      },
      { messageRequest: { case: 'fileByFilename' as const, value: 'spanwise/event/v1/event.proto' } },
      { messageRequest: { case: 'fileContainingSymbol' as const, value: 'nobody.Knows' } },
    ];
    for await (const { messageResponse } of client.serverReflectionInfo(iterate(requests))) {
      answers.push(messageResponse);
    }
    expect(answers).toMatchObject([
      { value: { service: [{ name: 'spanwise.session.v1.SessionService' }] } },
      { case: 'fileDescriptorResponse' },
      { case: 'fileDescriptorResponse' },
      { value: { errorCode: Code.NotFound } },
    ]);
  });
});

test('answers curl', async () => {
  const call = (body: string) =>
    promisify(execFile)('curl', [
      '--silent',
      '--show-error',
      '-H',
      'content-type: application/json',
      '-H',
      'uid: carol',
      '-d',
      body,
      `${server.url}/spanwise.session.v1.SessionService/GetSession`,
    ]);
  const { stdout } = await call(JSON.stringify({ sessionId: knownId }));
  expect(JSON.parse(stdout)).toEqual({ session: { id: knownId, uid: 'carol', title: 'xxxxxxxxxx' } });
  const refused = await call('{"sessionId": 7}');
  expect(JSON.parse(refused.stdout)).toMatchObject({ code: 'invalid_argument' });
});

async function failure(call: Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(
    await call.then(
      () => new ConnectError('did not fail', Code.Unknown),
      (error: unknown) => error,
    ),
  );
}

function unary(client: GrpcJsClient, method: string, request: object, metadata = new Metadata()): Promise<unknown> {
  return new Promise((resolve, reject) => {
    client[method]?.(request, metadata, (error: ServiceError | null, response: unknown) =>
      error === null ? resolve(response) : reject(error),
    );
  });
}

async function* iterate<Item>(items: readonly Item[]) {
  yield* items;
}
