import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

export interface RawServer extends AsyncDisposable {
  readonly baseUrl: string;
  /** Heads of the requests, as they came. */
  readonly heads: readonly string[];
  /** Connections that are open now, the most that were at once, and all there have been. */
  readonly connections: { readonly now: number; readonly most: number; readonly all: number };
}

/** Answers a request with whatever bytes it likes. `index` counts the requests from 0. */
export type RawScript = (socket: Socket, head: string, index: number) => void;

/** A server that keeps no rule of HTTP but those that its script keeps. */
export async function startRawServer(script: RawScript): Promise<RawServer> {
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const connections = { now: 0, most: 0, all: 0 };
  const server = createServer((socket) => {
    sockets.add(socket);
    connections.now += 1;
    connections.all += 1;
    connections.most = Math.max(connections.most, connections.now);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      connections.now -= 1;
    });
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end = endOfRequest(text); end !== undefined; end = endOfRequest(text)) {
        const head = text.slice(0, text.indexOf('\r\n\r\n'));
        text = text.slice(end);
        heads.push(head);
        script(socket, head, heads.length - 1);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/files`,
    ...{ heads, connections },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) {
        socket.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Where a request ends that has come whole; undefined until then. */
function endOfRequest(text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n') + 4;
  const length = Number(/^content-length: (\d+)$/im.exec(text)?.[1] ?? 0);
  return end >= 4 && text.length >= end + length ? end + length : undefined;
}

export type RawHeaders = Readonly<Record<string, string | number>>;

/** The bytes of an answer's head. */
export function rawHead(status: number, headers: RawHeaders = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} X\r\n${lines.join('')}\r\n`;
}

/** The bytes of an answer with the length of its body. */
export function rawAnswer(status: number, headers: RawHeaders = {}, body: string = ''): string {
  return rawHead(status, { 'content-length': Buffer.byteLength(body), ...headers }) + body;
}

/** Sends the same chunk again and again, as fast as it is taken or with a pause in between, for as long as anyone listens. */
export function endlessly(socket: Socket, chunk: string, pauseMs: number = 0): void {
  const next = () => {
    if (!socket.destroyed) {
      const goOn = socket.write(chunk);
      if (pauseMs > 0) {
        setTimeout(next, pauseMs);
      } else if (goOn) {
        setImmediate(next);
      } else {
        socket.once('drain', next);
      }
    }
  };
  next();
}
