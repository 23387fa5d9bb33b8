import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { connectTo } from './connect-to.ts';
import { LinkConditions, together } from './link-conditions.ts';
import { joinSockets } from './pipe.ts';

/** Somewhere that a link may lead to. */
export interface Backend {
  readonly port: number;
  /** False while it takes no new connections: it is down, drains, or is not ready. */
  isAvailable(): boolean;
}

/**
 * A loopback port that leads to one of several others, as a service of a cluster does: each connection goes to the next
 * backend that takes it. What networks do to connections can be done to it while it is used: see {@link LinkConditions}.
 */
export class TcpLink implements AsyncDisposable {
  readonly name: string;
  readonly conditions = new LinkConditions();
  /** Between the link and each backend alone; a backend that nothing gets to takes no new connections. */
  readonly towards: readonly LinkConditions[];
  readonly #backends: readonly Backend[];
  readonly #server: Server;
  readonly #inbound = new Set<Socket>();
  #next = 0;

  constructor(name: string, backends: readonly Backend[]) {
    this.name = name;
    this.#backends = backends;
    this.towards = backends.map(() => new LinkConditions());
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => void this.#take(socket));
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#inbound.size;
  }

  /** Fair weather on all of it. */
  heal(): void {
    [this.conditions, ...this.towards].forEach((conditions) => conditions.heal());
  }

  /** Resets every connection; answers how many there were. */
  cut(): number {
    const count = this.#inbound.size;
    for (const socket of [...this.#inbound]) {
      socket.resetAndDestroy();
    }
    return count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.heal();
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(inbound: Socket): Promise<void> {
    inbound.on('error', () => undefined);
    this.#inbound.add(inbound);
    inbound.once('close', () => this.#inbound.delete(inbound));
    if (this.conditions.losesConnection()) {
      inbound.resetAndDestroy();
      return;
    }
    await this.conditions.untilPassing('forth');
    const { socket: outbound, towards } = (await this.#connect()) ?? {};
    if (outbound === undefined || towards === undefined || inbound.destroyed) {
      outbound?.destroy();
      inbound.resetAndDestroy();
      return;
    }
    joinSockets(inbound, outbound, together(this.conditions, towards));
  }

  async #connect(): Promise<{ readonly socket: Socket; readonly towards: LinkConditions } | undefined> {
    const start = this.#next;
    this.#next += 1;
    for (const turn of this.#backends.keys()) {
      const index = (start + turn) % this.#backends.length;
      const [backend, towards] = [this.#backends[index], this.towards[index]];
      if (backend?.isAvailable() === true && towards?.isHeld('forth') === false) {
        const socket = await connectTo(backend.port);
        if (socket !== undefined) {
          return { socket, towards };
        }
      }
    }
    return undefined;
  }
}
