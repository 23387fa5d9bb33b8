import { setTimeout as delay } from 'node:timers/promises';
import { connect, headers, type Msg, type NatsConnection, StringCodec, type Subscription } from 'nats';
import { answerTimeoutMs, attempts, type CancelBus, type CancelHandler, type CancelRequest } from './cancel-bus.ts';

export interface NatsOptions {
  /** `nats://host:port`, several separated by commas. */
  readonly url: string;
  /** Name of the connection, for operators. */
  readonly name: string;
}

const subject = 'spanwise.cancel';
const codec = StringCodec();
/** Closing a connection that is broken may never end by itself. */
const closeTimeoutMs = 1000;

/**
 * The bus over core NATS, by request and reply: a plain publish is lost without a sign while the broker is away. Connects
 * in the background, for ever; until it has, nobody hears.
 */
export class NatsCancelBus implements CancelBus {
  readonly #connected: Promise<NatsConnection | undefined>;
  #connection: NatsConnection | undefined;
  #isClosed = false;

  constructor({ url, name }: NatsOptions) {
    const servers = url.split(',').map((server) => server.trim());
    this.#connected = connect({
      servers,
      name,
      maxReconnectAttempts: -1,
      waitOnFirstConnect: true,
      reconnectTimeWait: 500,
      pingInterval: 5_000,
    }).then(
      (connection) => this.#opened(connection),
      () => undefined,
    );
  }

  async request({ runId, traceparent }: CancelRequest): Promise<boolean> {
    for (let attempt = 0; attempt < attempts && this.#connection !== undefined; attempt += 1) {
      if (await this.#ask(this.#connection, runId, traceparent)) {
        return true;
      }
    }
    return false;
  }

  listen(handler: CancelHandler): AsyncDisposable {
    let subscription: Subscription | undefined;
    let isEnded = false;
    void this.#connected.then((connection) => {
      if (!isEnded) {
        subscription = connection?.subscribe(`${subject}.*`, { callback: (_, message) => answer(message, handler) });
      }
    });
    return {
      [Symbol.asyncDispose]: async () => {
        isEnded = true;
        subscription?.unsubscribe();
      },
    };
  }

  /** Resolves when the broker has been reached and knows every subscription made so far. */
  async ready(): Promise<void> {
    const connection = await this.#connected;
    await connection?.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.race([this.#connection?.close(), delay(closeTimeoutMs, undefined, { ref: false })]);
  }

  async #opened(connection: NatsConnection): Promise<NatsConnection> {
    if (this.#isClosed) {
      await connection.close();
    }
    this.#connection = connection;
    return connection;
  }

  /** Listeners that do not hold the run keep silent, so that the first answer is a yes. */
  async #ask(connection: NatsConnection, runId: string, traceparent: string): Promise<boolean> {
    const carried = headers();
    if (traceparent !== '') {
      carried.set('traceparent', traceparent);
    }
    return connection
      .request(`${subject}.${runId}`, codec.encode(runId), { timeout: answerTimeoutMs, headers: carried })
      .then(
        () => true,
        () => false,
      );
  }
}

function answer(message: Msg, handler: CancelHandler): void {
  const runId = message.subject.slice(subject.length + 1);
  if (handler({ runId, traceparent: message.headers?.get('traceparent') ?? '' })) {
    message.respond();
  }
}
