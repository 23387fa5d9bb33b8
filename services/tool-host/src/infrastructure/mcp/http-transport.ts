import {
  type FetchLike,
  type JSONRPCMessage,
  StreamableHTTPClientTransport,
  type TransportSendOptions,
} from '@modelcontextprotocol/client';
import { boundedFetch } from './bounded-fetch.ts';

export interface HttpTransportOptions {
  readonly url: string;
  readonly fetch: FetchLike;
  /** What goes as `Authorization: Bearer`; asked for each request. Undefined or empty = nothing. */
  readonly token: () => string | undefined;
}

const goodbyeMs = 500;

/** What a request is told by whose stream has ended without an answer; not one of the codes of the protocol. */
export const streamEndedCode = -32_098;

/**
 * Streamable HTTP of the SDK, which does not tell a request that the stream of its answer has ended without one, so that
 * whoever waits would wait until the deadline. A stream that can be resumed is: twice, by asking for what was missed.
 */
export class HttpTransport extends StreamableHTTPClientTransport {
  constructor({ url, fetch, token }: HttpTransportOptions) {
    super(new URL(url), {
      fetch: boundedFetch(fetch),
      authProvider: { token: async () => token() },
      reconnectionOptions: {
        initialReconnectionDelay: 250,
        maxReconnectionDelay: 5000,
        reconnectionDelayGrowFactor: 2,
        maxRetries: 2,
      },
    });
  }

  /** Tells the server that its session is over, but does not wait long. */
  override async close(): Promise<void> {
    if (this.sessionId !== undefined) {
      const told = this.terminateSession().catch(() => undefined);
      await Promise.race([told, new Promise<void>((resolve) => void setTimeout(resolve, goodbyeMs).unref())]);
    }
    await super.close();
  }

  override send(message: JSONRPCMessage, options: TransportSendOptions = {}): Promise<void> {
    if (!('method' in message) || !('id' in message) || options.onRequestStreamEnd !== undefined) {
      return super.send(message, options);
    }
    const { id } = message;
    const error = { code: streamEndedCode, message: 'the stream has ended without an answer' };
    // Passed over when the answer has come before.
    const onRequestStreamEnd = () => this.onmessage?.({ jsonrpc: '2.0', id, error });
    return super.send(message, { ...options, onRequestStreamEnd });
  }
}
