import { type AddressInfo, createServer, connect as openSocket, type Socket } from 'node:net';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { AgentEventSchema } from '@spanwise/contracts/spanwise/event/v1/event';
import {
  AgentRuntimeService,
  type RunRequest,
  type RunResponseSchema,
  type StartFrame,
  type YieldReason,
} from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { MessageSchema, type PartSchema, Role } from '@spanwise/contracts/spanwise/type/v1/message';
import { invariantBroken } from '@spanwise/kernel';
import {
  forwardedAuthenticate,
  type Identity,
  internalMaxStreams,
  type RunningServer,
  requireIdentity,
  serve,
} from '@spanwise/service-kit';
import { silentLogger, Telemetry } from '@spanwise/telemetry';
import { FrameQueue } from '../../src/infrastructure/clients/frame-queue.ts';

type Response = MessageInitShape<typeof RunResponseSchema>;
type Event = MessageInitShape<typeof AgentEventSchema>;
type Part = MessageInitShape<typeof PartSchema>;
type Finish = Extract<NonNullable<Response['frame']>, { case: 'finish' }>['value'];

/** One Run stream as the runtime sees it; the test's script plays the executor. */
export class PlayedRun {
  readonly identity: Identity;
  readonly history: Uint8Array[] = [];
  readonly acks: { readonly index: bigint; readonly cancelRequested: boolean }[] = [];
  readonly aborted = Promise.withResolvers<string>();
  readonly detached = Promise.withResolvers<void>();
  readonly started = Promise.withResolvers<StartFrame>();
  readonly closed = Promise.withResolvers<void>();
  readonly responses = new FrameQueue<Response>();
  #checkpoints = 0n;
  #onAck: (() => void) | undefined;

  constructor(identity: Identity, signal: AbortSignal) {
    this.identity = identity;
    signal.addEventListener('abort', () => {
      void this.responses.return();
      this.closed.resolve();
    });
  }

  async read(requests: AsyncIterable<RunRequest>): Promise<void> {
    let start: StartFrame | undefined;
    for await (const { frame } of requests) {
      switch (frame.case) {
        case 'start':
          start = frame.value;
          break;
        case 'history':
          this.history.push(...frame.value.messages);
          if (frame.value.last && start !== undefined) {
            this.started.resolve(start);
          }
          break;
        case 'ack':
          this.acks.push({ index: frame.value.index, cancelRequested: frame.value.cancelRequested });
          this.#onAck?.();
          break;
        case 'abort':
          this.aborted.resolve(frame.value.reason);
          break;
        case 'detach':
          this.detached.resolve();
          break;
        case undefined:
          throw invariantBroken('a frame without a case');
      }
    }
  }

  /** The executor lets go of the run. */
  yield(reason: YieldReason): void {
    this.responses.push({ frame: { case: 'yield', value: { reason } } });
  }

  say(...events: readonly Event[]): void {
    this.responses.push({ frame: { case: 'events', value: { events: [...events] } } });
  }

  /** Resolves once it is acknowledged. */
  checkpoint(
    events: readonly Event[],
    contextRows: { message: Uint8Array; role: Role; tokens: number }[],
  ): Promise<void> {
    this.#checkpoints += 1n;
    const value = { index: this.#checkpoints, events: [...events], contextRows };
    this.responses.push({ frame: { case: 'checkpoint', value } });
    return new Promise((resolve) => {
      this.#onAck = resolve;
    });
  }

  finish(outcome: Finish['outcome'] = { case: 'completed', value: 1 }): void {
    this.responses.push({ frame: { case: 'finish', value: { outcome } } });
  }

  /** Answers with one text block, as a model does that needs no tool. */
  async answer(text: string, blockId = crypto.randomUUID()): Promise<void> {
    const messageId = crypto.randomUUID();
    this.say(blockStart(blockId, messageId), blockDelta(blockId, 0, text), blockEnd(blockId, Buffer.byteLength(text)));
    await this.checkpoint(
      [committed(messageId, Role.ASSISTANT)],
      [assistantRow(messageId, { part: { case: 'text', value: { text } } })],
    );
  }
}

const timed = { time: { seconds: 1_800_000_000n, nanos: 0 } };
const length = (bytes: number) => BigInt(bytes);
export const blockStart = (blockId: string, messageId: string): Event => ({
  ...timed,
  data: { case: 'textStart', value: { blockId, messageId, role: Role.ASSISTANT } },
});
export const blockDelta = (blockId: string, offset: number, text: string): Event => ({
  data: { case: 'textDelta', value: { blockId, offset: length(offset), text } },
});
const blockEnd = (blockId: string, bytes: number): Event => ({
  ...timed,
  data: { case: 'textEnd', value: { blockId, length: length(bytes) } },
});
export const committed = (messageId: string, role: Role): Event => ({
  ...timed,
  data: { case: 'message', value: { messageId, role } },
});
export const called = (callId: string, messageId: string): Event => ({
  ...timed,
  data: { case: 'toolCallStart', value: { callId, tool: 'shell', messageId } },
});
export const toolResult = (callId: string, text: string): Event => ({
  ...timed,
  data: { case: 'toolResult', value: { callId, outcome: 1, content: [{ content: { case: 'text', value: text } }] } },
});

export function assistantRow(id: string, ...parts: readonly Part[]) {
  const message = toBinary(MessageSchema, create(MessageSchema, { id, role: Role.ASSISTANT, parts: [...parts] }));
  return { message, role: Role.ASSISTANT, tokens: 1 };
}

export interface RuntimeServer extends AsyncDisposable {
  readonly url: string;
  readonly runs: readonly PlayedRun[];
  /** The n-th run that was dispatched here, once it was. */
  run(index: number): Promise<PlayedRun>;
  /** Cuts every connection, as the death of the process does. */
  kill(): void;
}

/** An AgentRuntimeService whose runs are played by a script, behind a connection that can be cut. */
export async function startRuntimeServer(script: (run: PlayedRun) => Promise<void>): Promise<RuntimeServer> {
  const runs: PlayedRun[] = [];
  const arrivals: (() => void)[] = [];
  const server = await serve({
    host: '127.0.0.1',
    port: 0,
    services: [AgentRuntimeService],
    routes: (router) =>
      router.service(AgentRuntimeService, {
        async *run(requests, context) {
          const run = new PlayedRun(requireIdentity(context), context.signal);
          runs.push(run);
          arrivals.splice(0).forEach((tell) => tell());
          run.read(requests).catch(() => undefined);
          script(run).catch((error: unknown) => run.responses.fail(error));
          yield* run.responses;
        },
      }),
    authenticate: forwardedAuthenticate(),
    trustsTraceparent: true,
    telemetry: new Telemetry({ service: 'agent-runtime', env: {} }),
    logger: silentLogger,
    limits: { maxStreams: internalMaxStreams, readMaxBytes: 2 ** 24, writeMaxBytes: 2 ** 24 },
  });
  const proxy = await cuttable(server);
  return {
    url: proxy.url,
    runs,
    kill: () => proxy.kill(),
    async run(index) {
      for (;;) {
        const run = runs[index];
        if (run !== undefined) {
          return run;
        }
        await new Promise<void>((resolve) => arrivals.push(resolve));
      }
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      proxy.close();
    },
  };
}

/** A TCP proxy in front of a server. */
async function cuttable({ port }: RunningServer) {
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const upstream = openSocket(port, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const kill = () => sockets.forEach((socket) => socket.destroy());
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    kill,
    close() {
      kill();
      proxy.close();
    },
  };
}
