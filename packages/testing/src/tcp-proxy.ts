import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** From now on nothing passes, and nothing is closed. */
  readonly freeze: () => void;
  /** Resets every connection. */
  readonly cut: () => void;
  /** Connections that are made from now on lead to another loopback port. */
  readonly redirect: (port: number) => void;
}

/** A loopback proxy to a loopback port, for what networks do to connections. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  let leadsTo = targetPort;
  const server: Server = createServer((inbound) => {
    const outbound = connect(leadsTo, '127.0.0.1');
    for (const [from, to] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => isFrozen || to.write(chunk));
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    freeze: () => {
      isFrozen = true;
    },
    cut: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    redirect: (next) => {
      leadsTo = next;
    },
    async [Symbol.asyncDispose]() {
      sockets.forEach((socket) => socket.destroy());
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
