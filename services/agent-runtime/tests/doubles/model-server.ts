import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the server answers one request. */
export interface ModelReply {
  /** Default 200. */
  readonly status?: number;
  /** Default: an event stream. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Written as they are, one after the other; a promise is waited for. */
  readonly body: readonly (string | Uint8Array | Promise<unknown>)[];
  /** `end` (default) as HTTP wants it, `cut` the connection, or leave it `open`. */
  readonly ending?: 'end' | 'cut' | 'open';
}

/** A request as it came. */
export interface ModelCall {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
  /** The port that the client called from: the same one when a connection was used again. */
  readonly clientPort: number | undefined;
  /** Resolves when the connection is closed by whichever side. */
  readonly closed: Promise<void>;
}

/** Speaks just enough HTTP to send any bytes as a model's answer. */
export interface ModelServer extends AsyncDisposable {
  /** With its version, as a base URL. */
  readonly url: string;
  readonly calls: readonly ModelCall[];
  /** Resolves when this many requests have come. */
  untilCalls(count: number): Promise<void>;
}

/** Answers the n-th request with the n-th reply; further ones fail with 500. */
export async function startModelServer(...replies: readonly ModelReply[]): Promise<ModelServer> {
  const calls: ModelCall[] = [];
  const watchers: { readonly count: number; readonly resolve: () => void }[] = [];
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const closed = new Promise<void>((resolve) => request.socket.once('close', resolve));
    const clientPort = request.socket.remotePort;
    const body = JSON.parse(Buffer.concat(await Array.fromAsync<Buffer>(request)).toString()) as ModelCall['body'];
    calls.push({ path: request.url ?? '', headers: request.headers, body, clientPort, closed });
    watchers.filter(({ count }) => count <= calls.length).forEach(({ resolve }) => resolve());
    const reply = replies[calls.length - 1] ?? { status: 500, body: ['the test has no reply left'] };
    response.writeHead(reply.status ?? 200, { 'content-type': 'text/event-stream', ...reply.headers });
    response.flushHeaders();
    for (const piece of reply.body) {
      if (piece instanceof Promise) {
        await piece;
      } else {
        await new Promise((resolve) => response.write(piece, resolve));
      }
    }
    if (reply.ending === 'cut') {
      request.socket.destroy();
    } else if (reply.ending !== 'open') {
      response.end();
    }
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    untilCalls: (count) =>
      calls.length >= count ? Promise.resolve() : new Promise((resolve) => watchers.push({ count, resolve })),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Chunks of an answer as the chat completions API streams it, for written replies. */
export function chunks(...deltas: readonly (Record<string, unknown> | 'stop' | 'tool_calls' | 'length')[]): string {
  return deltas
    .map((delta) => {
      const choice = typeof delta === 'string' ? { delta: {}, finish_reason: delta } : { delta, finish_reason: null };
      return `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [{ index: 0, ...choice }] })}\n\n`;
    })
    .join('');
}

/** How a stream of chunks ends. */
export const done = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 100, completion_tokens: 20 } })}\n\ndata: [DONE]\n\n`;
