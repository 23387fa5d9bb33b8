import { createServer as createHttp1Server } from 'node:http';
import { constants, createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { NodeHandler } from './node-adapter.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Streams that one HTTP/2 connection may have open. */
  readonly maxStreams: number;
  /** Bytes of headers of one request. */
  readonly maxHeaderBytes: number;
  /** How often an HTTP/2 client is pinged, and how long it may take to answer. */
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
}

export interface Listener {
  readonly port: number;
  /** Tells clients to open another connection for what comes next; streams that are open go on, new connections too. */
  goAway(): void;
  /** Takes no new connections or streams (GOAWAY), and resolves when the open ones have ended or `graceMs` have passed. */
  close(graceMs: number): Promise<void>;
}

/** What an HTTP/2 client says first. */
const preface = 'PRI';
/** A client that connects and says nothing is dropped after this. */
const silenceMs = 10_000;

/** Listens on one cleartext port for HTTP/2 (prior knowledge) and HTTP/1.1, told apart by the first bytes. */
export async function listen(handler: NodeHandler, options: ListenerOptions): Promise<Listener> {
  const http2 = createHttp2Server(
    {
      settings: { maxConcurrentStreams: options.maxStreams, maxHeaderListSize: options.maxHeaderBytes },
      maxSendHeaderBlockLength: options.maxHeaderBytes,
    },
    handler,
  );
  const http1 = createHttp1Server({ maxHeaderSize: options.maxHeaderBytes, requestTimeout: 60_000 }, handler);
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  http2.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
    keepAlive(session, options);
  });

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    dispatch(socket, (isHttp2) => (isHttp2 ? http2 : http1).emit('connection', socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });

  function goAway(): void {
    http1.closeIdleConnections();
    for (const session of sessions) {
      session.close();
    }
  }

  return {
    port: (server.address() as AddressInfo).port,
    goAway,
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      goAway();
      const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function dispatch(socket: Socket, accept: (isHttp2: boolean) => void): void {
  const timer = setTimeout(() => socket.destroy(), silenceMs);
  socket.once('close', () => clearTimeout(timer));
  let head: Buffer = Buffer.alloc(0);
  socket.on('data', read);
  function read(chunk: Buffer) {
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const start = head.subarray(0, preface.length).toString('latin1');
    if (start.length < preface.length && preface.startsWith(start)) {
      return;
    }
    clearTimeout(timer);
    socket.off('data', read);
    socket.pause();
    socket.unshift(head);
    accept(start === preface);
    if (start !== preface) {
      // An HTTP/1.1 server listens for data; an HTTP/2 session takes the connection over, with what was unshifted.
      socket.resume();
    }
  }
}

/** Without it a frozen client, or one whose network is gone, would hold its streams for ever. */
function keepAlive(session: ServerHttp2Session, { pingIntervalMs, pingTimeoutMs }: ListenerOptions): void {
  let deadline: NodeJS.Timeout | undefined;
  const interval = setInterval(() => {
    if (session.destroyed || deadline !== undefined) {
      return;
    }
    deadline = setTimeout(() => session.destroy(undefined, constants.NGHTTP2_CANCEL), pingTimeoutMs);
    session.ping(() => {
      clearTimeout(deadline);
      deadline = undefined;
    });
  }, pingIntervalMs);
  interval.unref();
  session.once('close', () => {
    clearInterval(interval);
    clearTimeout(deadline);
  });
}
