import { type Client, createClient } from '@connectrpc/connect';
import { ExecutionStop as ExecutionStopMessage, ToolHostService } from '@spanwise/contracts/spanwise/tool/v1/tool';
import { brandId, type CallId, type RunId } from '@spanwise/kernel';
import { callOptions, type InternalTransport, toDomainError } from '@spanwise/service-kit';
import type { Peers, StopRequest } from '../../application/ports/peers.ts';
import type { ExecutionStop, StoppedExecution } from '../../domain/execution/stopped-execution.ts';
import type { Instance } from '../../domain/instance/instance-repository.ts';

/** Connections that are kept; replicas come and go, and each has a new address then. */
const maxConnections = 64;

interface Connection {
  readonly transport: InternalTransport;
  readonly client: Client<typeof ToolHostService>;
}

/** The other replicas over ToolHostService, on connections of their own: a busy one must not hold up a fence. */
export class ConnectPeers implements Peers, Disposable {
  readonly #connect: (baseUrl: string) => InternalTransport;
  readonly #connections = new Map<string, Connection>();

  constructor(connect: (baseUrl: string) => InternalTransport) {
    this.#connect = connect;
  }

  async stop({ address }: Instance, request: StopRequest, limitMs: number): Promise<readonly StoppedExecution[]> {
    const { caller, sessionId, epoch } = request;
    const { client } = this.#connection(address);
    try {
      const { stopped } = await client.fence(
        { sessionId, epoch: BigInt(epoch), stop: true, localOnly: true },
        { ...callOptions({ identity: caller }), timeoutMs: limitMs },
      );
      return stopped.map(({ runId, callId, tool, outcome }) => ({
        runId: brandId<RunId>(runId),
        callId: brandId<CallId>(callId),
        tool,
        outcome: outcomeOf(outcome),
      }));
    } catch (error) {
      throw toDomainError(error);
    }
  }

  [Symbol.dispose](): void {
    this.#connections.forEach(({ transport }) => transport[Symbol.dispose]());
    this.#connections.clear();
  }

  #connection(address: string): Connection {
    const known = this.#connections.get(address);
    if (known !== undefined) {
      return known;
    }
    const [oldest] = this.#connections.size < maxConnections ? [] : this.#connections;
    if (oldest !== undefined) {
      this.#connections.delete(oldest[0]);
      oldest[1].transport[Symbol.dispose]();
    }
    const transport = this.#connect(address);
    const connection = { transport, client: createClient(ToolHostService, transport) };
    this.#connections.set(address, connection);
    return connection;
  }
}

/** What a newer replica says in words of its own is no promise that nothing is left. */
function outcomeOf(message: ExecutionStopMessage): ExecutionStop {
  switch (message) {
    case ExecutionStopMessage.STOPPED:
      return 'stopped';
    case ExecutionStopMessage.FINISHED:
      return 'finished';
    default:
      return 'unstoppable';
  }
}
