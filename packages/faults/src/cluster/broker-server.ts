import { DomainError } from '@spanwise/kernel';
import { findProgram } from '@spanwise/testing';
import { connectTo } from '../links/connect-to.ts';
import { InfrastructureServer } from './infrastructure-server.ts';

/** A NATS server of its own. */
export async function startBrokerServer(port: number): Promise<InfrastructureServer> {
  const program = findProgram('nats-server');
  if (program === undefined) {
    throw new DomainError('precondition', 'INTERNAL', 'The fault suite needs nats-server: none is installed.');
  }
  const server = new InfrastructureServer({
    name: 'broker',
    program,
    args: ['-a', '127.0.0.1', '-p', String(port)],
    isServing: async () => {
      const socket = await connectTo(port);
      socket?.destroy();
      return socket !== undefined;
    },
  });
  await server.start();
  return server;
}
