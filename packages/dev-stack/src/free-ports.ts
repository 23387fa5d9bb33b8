import { type AddressInfo, createServer } from 'node:net';
import { type ServiceName, serviceNames } from './embedded-stack.ts';

/** The usual port of each service, 7001 to 7004, or 0 = any free one where somebody else has it. */
export async function usualPorts(first: number): Promise<Record<ServiceName, number>> {
  const entries = await Promise.all(
    serviceNames.map(async (name, index) => [name, (await isFree(first + index)) ? first + index : 0] as const),
  );
  return Object.fromEntries(entries) as Record<ServiceName, number>;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A loopback port that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
