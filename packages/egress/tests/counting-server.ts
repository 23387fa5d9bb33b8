import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { selfSigned } from './self-signed.ts';

/** One request as it came. */
export interface SeenRequest {
  /** Method and target of the first line. */
  readonly line: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** What has come of the body together with the headers. */
  readonly body: string;
}

/** Answers a request in bytes. */
export type Behaviour = (socket: Socket, request: SeenRequest) => void;

/** A server on loopback that counts what reaches it, and answers in whatever way its behaviours do. */
export class CountingServer implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  /** Connections that were opened. */
  connections = 0;
  /** Bytes that were written to the connections. */
  sentBytes = 0;
  /** Connections that are still open. */
  readonly open = new Set<Socket>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Behaviours by the first segment of the path, with its slash. Others are answered by 404. */
  static async start(
    behaviours: Readonly<Record<string, Behaviour>> = {},
    { host = '127.0.0.1', port = 0, isTls = false } = {},
  ): Promise<CountingServer> {
    const onSocket = (socket: Socket) => counting.#serve(socket, behaviours);
    const server = isTls ? createTlsServer(selfSigned, onSocket) : createServer(onSocket);
    const counting = new CountingServer(server);
    server.on('connection', () => {
      counting.connections += 1;
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    return counting;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.open) {
      socket.destroy();
    }
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket, behaviours: Readonly<Record<string, Behaviour>>): void {
    this.open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.open.delete(socket);
      this.sentBytes += socket.bytesWritten;
    });
    let text = '';
    socket.on('data', (data) => {
      // TLS, which this one does not speak.
      if (data[0] === 0x16) {
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      }
      text += data.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end >= 0) {
        const request = requestOf(text.slice(0, end), text.slice(end + 4));
        text = '';
        this.requests.push(request);
        const segment = /^\S+ (\/[^/? ]*)/u.exec(request.line)?.[1] ?? '';
        const answer = behaviours[segment] ?? ((to: Socket) => to.end(answerOf('nothing here', '', '404 Not Found')));
        answer(socket, request);
      }
    });
  }
}

/** A whole answer with a body. `headers` are lines, each with its end. */
export function answerOf(body: string, headers = '', status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function requestOf(head: string, body: string): SeenRequest {
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { line: first.replace(/ HTTP\/1\.1$/u, ''), headers: Object.fromEntries(headers), body };
}
