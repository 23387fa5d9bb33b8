import { createServer } from 'node:net';

/** Below what operating systems give to outgoing connections: a port stays free while its process is being restarted. */
const range = { from: 12_000, to: 32_000 } as const;

/** Loopback ports that are free now, all different, and that nobody is given by chance. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found: number[] = [];
  let port = range.from + Math.floor(Math.random() * (range.to - range.from));
  while (found.length < count) {
    port = port + 1 < range.to ? port + 1 : range.from;
    if (await isFree(port)) {
      found.push(port);
    }
  }
  return found;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
