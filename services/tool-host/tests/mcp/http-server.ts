import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A message of JSON-RPC, as far as a scripted server looks at it. */
export interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>> & { readonly _meta?: Readonly<Record<string, unknown>> };
}

export interface Received {
  readonly message: Message;
  readonly headers: IncomingMessage['headers'];
}

/** What a server does with a request: it answers with a result, or does with the response what it likes. */
export type Handler = (
  received: Received,
  response: ServerResponse,
) => object | undefined | Promise<object | undefined>;

export interface HttpServerOptions {
  /** Revision 2026-07-28 unless `legacy`. */
  readonly isLegacy?: boolean;
  /** Undefined = anybody is let in. */
  readonly tokens?: readonly string[];
  readonly tools?: () => readonly object[];
  readonly call?: Handler;
}

const revision = '2026-07-28';

/** An MCP server over HTTP, by hand, that notes what it gets. */
export class ScriptedHttpServer implements AsyncDisposable {
  readonly received: Received[] = [];
  /** Streams that wait for changes. */
  readonly listening = new Set<ServerResponse>();
  readonly #options: HttpServerOptions;
  #server: Server | undefined;
  #port = 0;
  #sessions = new Set<string>();

  constructor(options: HttpServerOptions = {}) {
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/mcp`;
  }

  /** On the port that it had before, if it had one. */
  async start(): Promise<this> {
    const server = createServer((request, response) => void this.#handle(request, response));
    await new Promise<void>((resolve) => void server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  async stop(): Promise<void> {
    this.#sessions.clear();
    this.listening.clear();
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : void server.close(() => resolve())));
  }

  /** Forgets all sessions, as a server does that was started again. */
  forgetSessions(): void {
    this.#sessions.clear();
  }

  calls(): readonly Received[] {
    return this.received.filter(({ message }) => message.method === 'tools/call');
  }

  tellListChanged(): void {
    for (const response of this.listening) {
      send(response, { jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: metaOf(response) });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { tokens } = this.#options;
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    if (tokens !== undefined && !tokens.includes(token)) {
      response.writeHead(401).end();
      return;
    }
    if (request.method !== 'POST') {
      response.writeHead(request.method === 'DELETE' ? 200 : 405).end();
      return;
    }
    const message = JSON.parse(await bodyOf(request)) as Message;
    this.received.push({ message, headers: request.headers });
    if (message.id === undefined) {
      response.writeHead(202).end();
      return;
    }
    const session = request.headers['mcp-session-id'];
    if (this.#options.isLegacy === true && message.method !== 'initialize' && !this.#sessions.has(String(session))) {
      response.writeHead(404).end('no such session');
      return;
    }
    const result = await this.#answer({ message, headers: request.headers }, response);
    if (result !== undefined) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...result }));
    }
  }

  async #answer(received: Received, response: ServerResponse): Promise<object | undefined> {
    const { isLegacy = false, tools = () => [echoTool], call = () => undefined } = this.#options;
    const complete = isLegacy ? {} : { resultType: 'complete' };
    const { method } = received.message;
    switch (true) {
      case method === 'server/discover' && !isLegacy:
        return {
          result: {
            ...{ ...complete, supportedVersions: [revision], capabilities: { tools: { listChanged: true } } },
            ...{ ttlMs: 0, cacheScope: 'private' },
          },
        };
      case method === 'initialize' && isLegacy: {
        const id = `session-${this.#sessions.size + 1}-${Math.random()}`;
        this.#sessions.add(id);
        response.setHeader('mcp-session-id', id);
        const serverInfo = { name: 'scripted', version: '1' };
        return { result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo } };
      }
      case method === 'subscriptions/listen':
        openStream(response, received.message.id ?? '');
        this.listening.add(response);
        response.on('close', () => this.listening.delete(response));
        return undefined;
      case method === 'tools/list':
        return { result: { ...complete, tools: tools(), ttlMs: 0, cacheScope: 'private' } };
      case method === 'tools/call': {
        const result = await call(received, response);
        return result === undefined ? undefined : { result: { ...complete, ...result } };
      }
      default:
        return { error: { code: -32_601, message: 'Method not found' } };
    }
  }
}

export const echoTool = { name: 'echo', description: 'Echoes.', inputSchema: { type: 'object', properties: {} } };

export function text(value: string): object {
  return { content: [{ type: 'text', text: value }] };
}

/** Begins a stream of events. */
export function beginEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
}

export function send(response: ServerResponse, message: object): void {
  response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
}

const subscriptions = new WeakMap<ServerResponse, number | string>();

function openStream(response: ServerResponse, id: number | string): void {
  beginEvents(response);
  subscriptions.set(response, id);
  send(response, {
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { ...metaOf(response), notifications: { toolsListChanged: true } },
  });
}

function metaOf(response: ServerResponse): object {
  return { _meta: { 'io.modelcontextprotocol/subscriptionId': subscriptions.get(response) } };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
