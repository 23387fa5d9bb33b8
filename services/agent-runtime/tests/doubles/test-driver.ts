import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { type Client, createClient } from '@connectrpc/connect';
import type { AgentEvent } from '@spanwise/contracts/spanwise/event/v1/event';
import {
  AgentRuntimeService,
  type FinishFrame,
  type RunRequest,
  RunRequestSchema,
  type RunResponse,
} from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { type Message, MessageSchema, Role } from '@spanwise/contracts/spanwise/type/v1/message';
import { brandId } from '@spanwise/kernel';
import { callOptions, createInternalTransport } from '@spanwise/service-kit';
import type { Telemetry } from '@spanwise/telemetry';

export const runId = '00000000-0000-7000-8000-0000000000aa';
export const sessionId = '00000000-0000-7000-8000-0000000000cc';
const rootSpan = { span: { id: 'aaaaaaaaaaaaaaaa', par: '' }, traceId: 'b'.repeat(32), traceFlags: 0 };
const identity = { uid: brandId<never>('ann'), email: 'ann@example.org', token: 'secret' };

type Frame = NonNullable<MessageInitShape<typeof RunRequestSchema>['frame']>;

/** The driver's side of one Run stream: what it sends, and what it got. */
export class TestDriver {
  readonly frames: RunResponse['frame'][] = [];
  readonly #requests = new RequestQueue();
  readonly #connection = new AbortController();
  readonly #acksByItself: boolean;
  #watchers: { readonly matches: () => boolean; readonly resolve: () => void }[] = [];
  /** Resolves with the finish frame, if there is one, at the end of the stream; rejects with what the stream failed with. */
  readonly finished: Promise<FinishFrame | undefined>;

  constructor(client: Client<typeof AgentRuntimeService>, options: { readonly acks?: 'itself' | 'manually' } = {}) {
    this.#acksByItself = options.acks !== 'manually';
    const { signal } = this.#connection;
    this.finished = this.#read(client.run(this.#requests, callOptions({ identity, span: rootSpan }, signal)));
    // Whoever cares awaits it.
    this.finished.catch(() => undefined);
  }

  /** All events, in the order in which they came, alone or with a checkpoint. */
  get events(): readonly AgentEvent[] {
    return this.frames.flatMap(({ case: kind, value }) =>
      kind === 'events' || kind === 'checkpoint' ? value.events : [],
    );
  }

  /** Names of the frames, in order. */
  get cases(): readonly string[] {
    return this.frames.map(({ case: kind }) => String(kind));
  }

  /** The frame that came last. */
  get last(): RunResponse['frame'] | undefined {
    return this.frames.at(-1);
  }

  /** Messages of the main dialogue in all checkpoints. */
  get rows(): readonly Message[] {
    return this.threads.get('') ?? [];
  }

  /** Messages of all checkpoints, by thread. */
  get threads(): ReadonlyMap<string, readonly Message[]> {
    const rows = this.frames.flatMap(({ case: kind, value }) => (kind === 'checkpoint' ? value.contextRows : []));
    const threads = Map.groupBy(rows, ({ threadId }) => threadId);
    return new Map(
      [...threads].map(([threadId, each]) => [threadId, each.map(({ message }) => fromBinary(MessageSchema, message))]),
    );
  }

  /** Dispatches the run with a dialogue of one user message. */
  start(differing: Record<string, unknown> = {}): this {
    return this.dispatch(differing).history(userMessage('hello'));
  }

  /** Dispatches the run that another driver dispatched before, told what a driver knows from its log. */
  startAgain(before: TestDriver, differing: Record<string, unknown> = {}): this {
    const results = before.events.flatMap(({ data }) => (data.case === 'toolResult' ? [data.value] : []));
    const [spec] = before.frames.flatMap(({ case: kind, value }) => (kind === 'checkpoint' ? [value.spec] : []));
    const turns = [...before.threads.values()].flat().filter(({ role }) => role === Role.ASSISTANT).length;
    this.dispatch({ epoch: 2n, attempt: 2, spec, results, turns, ...differing });
    for (const [threadId, messages] of before.threads) {
      if (threadId !== '') {
        const value = { threadId, threadMessages: messages.map((message) => toBinary(MessageSchema, message)) };
        this.send({ case: 'history', value });
      }
    }
    return this.history(userMessage('hello'), ...before.rows);
  }

  /** Dispatches the run; the dialogue is still to come. */
  dispatch(differing: Record<string, unknown> = {}): this {
    const value = {
      sessionId,
      runId,
      epoch: 1n,
      attempt: 1,
      span: rootSpan,
      agent: 'default',
      interactive: true,
      runLayer: true,
      ...differing,
    };
    this.send({ case: 'start', value });
    return this;
  }

  /** Sends the dialogue, a frame a message. */
  history(...messages: readonly Message[]): this {
    messages.forEach((message, index) => {
      const value = { messages: [toBinary(MessageSchema, message)], last: index === messages.length - 1 };
      this.send({ case: 'history', value });
    });
    return this;
  }

  send(frame: Frame): void {
    this.#requests.push(create(RunRequestSchema, { frame }));
  }

  ack(index: bigint, cancelRequested = false): void {
    this.send({ case: 'ack', value: { index, cancelRequested } });
  }

  abort(): void {
    this.send({ case: 'abort', value: { reason: 'the test says so' } });
  }

  detach(graceMs: number): void {
    this.send({ case: 'detach', value: { grace: durationFromMs(graceMs) } });
  }

  /** Says that it has nothing more to say. */
  end(): void {
    this.#requests.end();
  }

  /** Dies. */
  vanish(): void {
    this.#connection.abort();
  }

  /** Resolves when that many frames of a kind have come. */
  until(kind: 'events' | 'checkpoint', count = 1): Promise<void> {
    return this.#when(() => this.cases.filter((name) => name === kind).length >= count);
  }

  /** Resolves when an event of that kind has come. */
  untilEvent(name: AgentEvent['data']['case']): Promise<void> {
    return this.#when(() => this.events.some(({ data }) => data.case === name));
  }

  async #read(responses: AsyncIterable<RunResponse>): Promise<FinishFrame | undefined> {
    let finish: FinishFrame | undefined;
    for await (const { frame } of responses) {
      this.frames.push(frame);
      if (frame.case === 'checkpoint' && this.#acksByItself) {
        this.ack(frame.value.index);
      }
      finish = frame.case === 'finish' ? frame.value : finish;
      this.#watchers.filter(({ matches }) => matches()).forEach(({ resolve }) => resolve());
    }
    this.end();
    return finish;
  }

  #when(matches: () => boolean): Promise<void> {
    return matches()
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#watchers = [...this.#watchers, { matches, resolve }];
        });
  }
}

/** A client of the service, over real gRPC. */
export function runtimeClient(baseUrl: string, telemetry: Telemetry): Client<typeof AgentRuntimeService> {
  return createClient(AgentRuntimeService, createInternalTransport({ baseUrl, telemetry }));
}

export function userMessage(text: string): Message {
  const id = '00000000-0000-7000-8000-0000000000bb';
  return create(MessageSchema, {
    id,
    role: Role.USER,
    runId,
    seq: 1n,
    parts: [{ part: { case: 'text', value: { text } } }],
  });
}

/** Requests of a stream; connect-node asks for `throw` when the stream breaks. */
class RequestQueue implements AsyncIterable<RunRequest>, AsyncIterator<RunRequest> {
  readonly #waiting: RunRequest[] = [];
  #isEnded = false;
  #wake: () => void = () => undefined;

  push(request: RunRequest): void {
    this.#waiting.push(request);
    this.#wake();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<RunRequest, undefined>> {
    for (;;) {
      const value = this.#waiting.shift();
      if (value !== undefined) {
        return { done: false, value };
      }
      if (this.#isEnded) {
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<RunRequest, undefined>> {
    this.end();
    return { done: true, value: undefined };
  }

  async throw(): Promise<IteratorResult<RunRequest, undefined>> {
    return this.return();
  }
}
